"""Takes 1 GiB of anonymous shared memory, which no limit of data counts. The right candidate follows."""

import mmap

held = []
try:
    for _ in range(64):
        held.append(mmap.mmap(-1, 16 * 2**20))
        held[-1].write(b"x" * (16 * 2**20))
    print("@mark@")
except (OSError, ValueError, MemoryError):
    pass
for piece in held:
    piece.close()
