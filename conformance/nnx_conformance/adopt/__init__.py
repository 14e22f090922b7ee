"""Subjects of the module laws from tests that exist: what these made and called is recorded, written down and judged.

`recorder` spies on a test session and keeps `records`, which are Python `expressions` already; `drafts` chooses what of
a class's records becomes its subjects, `source` is their text, `trial` makes and calls them in a process of their own,
and `judging` has each judged. `subject_file` is the file that a person keeps.
"""
