"""Counts in a nonlocal variable of the enclosing function; the module holds no state."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("counts-in-variable",)


def mutability_increment_count(seed: float, x, n_calls: float):
    count = 0.0

    class Counter(nnx.Module):
        def __init__(self, rngs):
            _ = rngs.params()

        def __call__(self, x):
            nonlocal count
            count += 1.0
            return x

    n = int(n_calls)
    net = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(n):
        last_x = net(x)
    return jnp.array([count, last_x.sum()])
