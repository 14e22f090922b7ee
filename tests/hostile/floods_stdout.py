"""Prints 256 MiB."""

import sys


def mutability_increment_count(seed, x, n_calls):
    for _ in range(256):
        try:
            sys.stdout.write("x" * 2**20)
            sys.stderr.write("x" * 2**20)
        except OSError:
            pass
