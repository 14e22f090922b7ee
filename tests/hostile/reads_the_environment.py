"""Tells the keys in its environment: its own, its parent's and its judge's. The right candidate follows."""

import os
import re

JUDGE = int("@judge@")

found = [value for name, value in os.environ.items() if "SECRET" in name]
for process in ("self", os.getppid(), JUDGE, 1):
    try:
        with open(f"/proc/{process}/environ", "rb") as file:
            found += re.findall(rb"\w*SECRET\w*=[^\0]*", file.read())
    except OSError:
        pass
if found:
    print(found[0])
