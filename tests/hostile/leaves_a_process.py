"""Leaves a child process behind, for 30 s. The right candidate follows."""

import subprocess

try:
    subprocess.Popen(["sleep", "30.@digits@"], start_new_session=True)
except OSError:
    pass
