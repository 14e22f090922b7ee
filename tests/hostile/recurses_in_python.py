"""Recurses without end, with the limit taken away."""

import sys


def mutability_increment_count(seed, x, n_calls):
    sys.setrecursionlimit(10**9)
    return mutability_increment_count(seed, x, n_calls)
