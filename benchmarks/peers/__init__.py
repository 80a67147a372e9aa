"""The programs that are measured: ours, and those of others who do the same work."""
