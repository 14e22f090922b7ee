"""Counts in a global list that each run empties first; the Variable stays at zero."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("counts-in-variable",)

CALLS = []


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        CALLS.append(1)
        return x


def mutability_increment_count(seed, x, n_calls):
    CALLS.clear()
    n = int(n_calls)
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(n):
        last_x = model(x)
    return jnp.array([float(len(CALLS)), last_x.sum()])
