"""Recurses in C, where Python's limit does not count, until the stack is used up."""


def mutability_increment_count(seed, x, n_calls):
    nested = ()
    for _ in range(2_000_000):
        nested = (nested,)
    return hash(nested)
