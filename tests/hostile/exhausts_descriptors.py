"""Opens 1000 descriptors. The right candidate follows."""

import os

held = []
try:
    for _ in range(1000):
        held.append(os.open("/dev/null", os.O_RDONLY))
    print("@mark@")
except OSError:
    pass
for descriptor in held:
    os.close(descriptor)
