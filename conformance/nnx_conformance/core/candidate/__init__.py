"""A candidate before it runs: its target, its files, and what loading it gave."""
