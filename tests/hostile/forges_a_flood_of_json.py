"""Hands over 200 MiB of JSON that would be 5 GiB of Python's lists."""

import os
import struct


def mutability_increment_count(seed, x, n_calls):
    part = b"[]," * 349525
    size = 200 * len(part) + 4
    os.write(4, struct.pack(">4sII", b"NNXC", size, 0) + b"[")
    for _ in range(200):
        view = memoryview(part)
        while view:
            view = view[os.write(4, view) :]
    os.write(4, b"[]]")
