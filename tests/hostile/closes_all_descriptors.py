"""Closes every descriptor."""

import os


def mutability_increment_count(seed, x, n_calls):
    os.closerange(0, 4096)
