"""Leaves politely when it is called."""

import sys


def mutability_increment_count(seed, x, n_calls):
    sys.exit(0)
