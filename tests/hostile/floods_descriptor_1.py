"""Writes 256 MiB to descriptor 1 itself, and makes a hole of a terabyte before it."""

import os


def mutability_increment_count(seed, x, n_calls):
    for _ in range(256):
        try:
            os.write(1, b"x" * 2**20)
        except OSError:
            break
    try:
        os.lseek(1, 2**40, os.SEEK_SET)
        os.write(1, b"x")
    except OSError:
        pass
