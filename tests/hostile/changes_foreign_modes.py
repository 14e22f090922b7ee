"""Changes modes, owners, times and attributes of files of others. The right candidate follows."""

import os

path = "@outside@/neighbour.py"
for act in (
    lambda: os.chmod(path, 0),
    lambda: os.chown(path, 12345, 12345),
    lambda: os.utime(path, (0, 0)),
    lambda: os.setxattr(path, "user.owned", b"1"),
):
    try:
        act()
    except OSError:
        pass
