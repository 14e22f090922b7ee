"""Confines a candidate's process: its resources, files, system calls and privileges. Standard library only."""
