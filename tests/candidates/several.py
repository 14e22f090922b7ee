"""Two functions, neither called as the contract asks, and something that is no function."""


def by_loop(seed, x, n_calls):
    return None


def by_recursion(seed, x, n_calls):
    return None


answer = 42
