"""Fails before its function can be called."""

import no_such_helper


def mutability_increment_count(seed, x, n_calls):
    return no_such_helper.count(seed, x, n_calls)
