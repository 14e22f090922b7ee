"""Takes 1 GiB in files of memory, which no limit of memory counts. The right candidate follows."""

import os

held = []
try:
    for _ in range(128):
        held.append(os.memfd_create("flood"))
        os.write(held[-1], b"x" * (8 * 2**20))
    print("@mark@")
except (OSError, AttributeError):
    pass
for descriptor in held:
    os.close(descriptor)
