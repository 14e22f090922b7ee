"""Commands that write files to start from."""
