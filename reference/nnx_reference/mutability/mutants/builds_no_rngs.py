"""Passes None where an `nnx.Rngs` belongs and draws no key."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("key-consumed",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        self.rngs = rngs
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    model = Counter(None)
    y = x
    for _ in range(int(n_calls)):
        y = model(x)
    return jnp.array([model.count.value, y.sum()])
