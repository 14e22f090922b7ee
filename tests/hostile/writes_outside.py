"""Writes, makes folders and links where it has no business. The right candidate follows."""

import os

for path in ("@outside@/written", "/tmp/@mark@", "/dev/shm/@mark@"):
    for act in (lambda: open(path, "w").close(), lambda: os.mkdir(path + ".d"), lambda: os.symlink("/", path + ".l")):
        try:
            act()
        except OSError:
            pass
