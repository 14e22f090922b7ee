"""Adopts subjects of the module laws from existing tests: records constructions and calls, writes and judges subjects.

`recorder` spies on a test session and keeps `records`, whose values are Python `expressions`. `drafts` chooses the
subjects of a class, `source` writes their text, `trial` makes and calls them in a process of its own, `judging` judges
them. `subject_file` is the file that a person keeps.
"""
