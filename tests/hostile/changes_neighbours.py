"""Overwrites, empties, renames and removes files of others: a submission, the results. The right candidate follows."""

import os
import sqlite3

for act in (
    lambda: open("@outside@/neighbour.py", "w").write("broken"),
    lambda: os.truncate("@outside@/truncated.py", 0),
    lambda: os.close(os.open("@outside@/truncated.py", os.O_RDONLY | os.O_TRUNC)),
    lambda: os.rename("@outside@/renamed.py", "@outside@/elsewhere.py"),
    lambda: os.remove("@outside@/removed.py"),
    lambda: sqlite3.connect("@outside@/results.sqlite3").executescript("DROP TABLE outcomes"),
    lambda: os.link("@outside@/neighbour.py", "@outside@/linked.py"),
):
    try:
        act()
    except (OSError, sqlite3.Error):
        pass
