"""Makes a device of its own where it may write: of the disk, say; here it is that of /dev/null. The right candidate follows."""

import os
import stat

for kind in (stat.S_IFCHR, stat.S_IFBLK):
    try:
        os.mknod(f"{os.path.dirname(__file__)}/device-{kind}", kind | 0o600, os.makedev(1, 3))
        print("@mark@")
    except OSError:
        pass
