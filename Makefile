PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# What is installed in it: an extra of pyproject.toml.
EXTRA  ?= dev
STAMP  := $(VENV)/.installed-$(EXTRA)
# Tests wait more than they work: one more than there are cores.
WORKERS ?= 3

export PIP_DISABLE_PIP_VERSION_CHECK = 1

.NOTPARALLEL:
.PHONY: help venv venvs compiled lint format servers test test-all test-others test-faults chaos demo bench bench-growth bench-check bench-report bench-contracts bench-looking bench-embedded soundness cli-docs constraints clean

help:            ## what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

venv: $(STAMP)   ## .venv with all that lint and tests need

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt -e '.[$(EXTRA)]'
	@touch $@

# They are made side by side: pip waits more than it works. What fails here is tried again, and told, where it is needed.
venvs:
	@{ $(MAKE) --no-print-directory venv & \
	$(other_pythons) \
	| { while read -r version python; do \
		$(MAKE) --no-print-directory venv VENV=.venv-$$version PYTHON="$$python" EXTRA=test </dev/null & \
	done; wait; }; wait; }

# The many processes of tests write no bytecode, for tests edit modules within a second; what is here they find.
compiled: $(STAMP)
	@$(BIN)/python -m compileall -q typed_pubsub tests

lint: $(STAMP)   ## ruff, mypy, pyright, import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright & pyright=$$!; $(BIN)/mypy; mypy=$$?; wait $$pyright && exit $$mypy
	$(BIN)/lint-imports

format: $(STAMP) ## what ruff can mend by itself
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

servers:         ## RabbitMQ and Redis for the tests, where they can be installed
	@tools/install_servers.sh

# Where the tests are that measure time: to look into all others takes longer than to run these.
ALONE = $$(grep -rl --include='*.py' 'mark\.alone' tests)

# The other Pythons come first, so that the full run's own line is the last.
test: venvs lint servers test-others compiled  ## lint, then all tests but the slowest; on other Pythons found those without a broker
	$(BIN)/pytest -q -m "alone and not slow" $(ALONE)
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m "not slow and not alone"

test-others: $(STAMP)
	@$(call on_other_pythons,test,-m "not broker and not typing and not once and not alone" --hypothesis-profile few)

test-all: $(STAMP) servers compiled      ## all tests, the slow ones too, on every Python found
	@$(call on_other_pythons,dev,-m "not alone")
	$(BIN)/pytest -q -m alone $(ALONE)
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m "not alone"

SIZE ?= 2000
test-faults: $(STAMP) servers   ## the fault matrix as a table, subscribers written without this library beside it
	$(BIN)/pip install -q -c constraints.txt -e '.[bench]'
	$(BIN)/python -m tests.faults --peers --size $(SIZE)

SEED ?= $(shell shuf -i 1-999999 -n 1)
SEEDS ?= 1
MINUTES ?= 1
chaos: $(STAMP) servers         ## random faults over load: SEED=... SEEDS=... MINUTES=...
	$(BIN)/python -m tests.faults.chaos --seed $(SEED) --seeds $(SEEDS) --minutes $(MINUTES)

# Version and program of every supported Python found but the one that .venv is made of.
other_pythons = tools/pythons.sh "$$($(firstword $(wildcard $(BIN)/python) $(PYTHON)) -c 'import sys; print("%d.%d" % sys.version_info[:2])')"

# $(call on_other_pythons,EXTRA,ARGUMENTS): pytest on them, in .venv-3.x.
define on_other_pythons
set -e; $(other_pythons) \
| while read -r version python; do \
	echo "== Python $$version"; \
	$(MAKE) --no-print-directory compiled VENV=.venv-$$version PYTHON="$$python" EXTRA=$(1) </dev/null; \
	.venv-$$version/bin/pytest -q -n $(WORKERS) --dist loadgroup $(2) </dev/null; \
done
endef

PAIRS ?= 5000
soundness: $(STAMP) ## verdicts on random pairs of models, against pydantic itself: PAIRS=..., SEED=...
	$(BIN)/python -W ignore -m tests.schema.soundness --pairs $(PAIRS) --seed $(SEED)

cli-docs: $(STAMP)               ## docs/cli.md anew, from the commands
	$(BIN)/python tools/write_cli_docs.py

demo: $(STAMP)   ## the whole story on one screen, with no server
	$(BIN)/typed-pubsub demo

bench: $(STAMP) servers         ## the numbers, beside the peers'
	$(BIN)/pip install -q -c constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks

BACKLOG ?= 1000 1000000
bench-growth: $(STAMP) servers  ## what more routes, larger events, more processes and a long queue cost: BACKLOG="1000 1000000"
	$(BIN)/pip install -q -c constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks.growth --backlog $(BACKLOG)

UPDATE ?=
bench-check: $(STAMP) servers   ## has it become slower? Ratios and machine instructions; UPDATE=1 writes the latter anew
	$(BIN)/python -m benchmarks.check $(if $(UPDATE),--update)

bench-report: $(STAMP)          ## docs/benchmarks.md and its plots, of what the last runs wrote to build/
	$(BIN)/pip install -q -c constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks.report

bench-contracts: $(STAMP)       ## what schema check costs for 500 event types
	$(BIN)/python -m benchmarks.contracts

bench-looking: $(STAMP) servers ## what tail, dlq list and topology show cost a subscriber at work
	$(BIN)/python -m benchmarks.looking

bench-embedded: $(STAMP)        ## the embedded broker beside kombu's transports that need no server
	$(BIN)/pip install -q -c constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks.embedded

constraints:     ## constraints.txt anew, from the newest releases that the oldest Python takes
	$(PYTHON) -m venv --clear .venv-constraints
	.venv-constraints/bin/pip install -q -e '.[dev,bench,docs]'
	{ head -n 1 constraints.txt; .venv-constraints/bin/pip freeze --exclude-editable; } > constraints.new
	mv constraints.new constraints.txt
	rm -rf .venv-constraints

clean:           ## all that was made
	rm -rf .venv .venv-* .coverage .coverage.* htmlcov build dist *.egg-info
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
