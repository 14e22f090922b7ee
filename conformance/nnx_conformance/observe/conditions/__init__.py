"""Watching a candidate's conditions: its source is rewritten, and the rewritten code records what it compares."""
