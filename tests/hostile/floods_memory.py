"""Takes 1 GiB in pieces, and touches it. The right candidate follows."""

held = []
try:
    for _ in range(16):
        held.append(bytearray(b"x") * (64 * 2**20))
    print("@mark@")
except MemoryError:
    pass
held.clear()
