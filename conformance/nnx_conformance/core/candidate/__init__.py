"""What a candidate is before it runs: its name and its files."""
