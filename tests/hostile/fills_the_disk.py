"""Writes 64 files of 2 MiB, and one of 64 MiB, where it may write. The right candidate follows."""

import os
import tempfile

folder = tempfile.mkdtemp(prefix="@mark@-", dir=os.path.dirname(__file__))
try:
    for number in range(64):
        with open(f"{folder}/{number}", "wb") as file:
            file.write(b"x" * (2 * 2**20))
    print("@mark@ files")
except OSError:
    pass
try:
    with open(f"{folder}/large", "wb") as file:
        for _ in range(64):
            file.write(b"x" * 2**20)
    print("@mark@ large")
except OSError:
    pass
