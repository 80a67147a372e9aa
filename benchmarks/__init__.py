"""What the library costs, measured beside its peers in one run: ``python -m benchmarks``.

Rates of different runs, or machines, say little; the ratios of one run are what counts. The rounds are interleaved, so
that a noisy neighbour hits everybody.
"""
