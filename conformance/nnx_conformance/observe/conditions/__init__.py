"""Watching what a candidate compares: its source rewritten, and what the rewritten code records."""
