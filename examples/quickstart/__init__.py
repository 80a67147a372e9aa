"""The quick start of README.md, as files: tests/test_docs.py holds them together, and runs them."""
