"""Leaves a daemon behind: forked twice, in a session of its own, for 30 s. The right candidate follows."""

import os

try:
    child = os.fork()
except OSError:
    child = 1
if child == 0:
    try:
        os.setsid()
        if os.fork() == 0:
            os.execv("/bin/sleep", ["sleep", "30.@digits@"])
    finally:
        os._exit(0)
