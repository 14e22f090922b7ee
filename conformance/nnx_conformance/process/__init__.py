"""Runs a candidate in a process of its own: sessions, the fork server, and the worker that answers the judge."""
