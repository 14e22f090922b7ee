"""Deletes its own file as it is imported; the second import finds nothing, it hopes."""

import os

os.remove(__file__)


def mutability_increment_count(seed, x, n_calls):
    return None
