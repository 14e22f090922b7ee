"""Reads from address 0."""

import ctypes


def mutability_increment_count(seed, x, n_calls):
    return ctypes.string_at(0)
