"""Counts in a plain Python int attribute: right numbers, and invisible to every NNX transform."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("counts-in-variable",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = 0

    def __call__(self, x):
        self.count += 1
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([float(model.count), last_x.sum()])
