"""Keeps the count as a bare JAX array, which never was in a Variable."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("counts-in-variable",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = jnp.array(0.0)

    def __call__(self, x):
        self.count = self.count + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    counter = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = counter(x)
    return jnp.array([counter.count, out.sum()])
