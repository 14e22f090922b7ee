"""Builds a NumPy array of Python objects, whose dtype is no number at all."""

import flax.nnx as nnx
import jax.numpy as jnp
import numpy as np

CATCHES = ("returns-pair",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return np.array([model.count.value, last_x.sum()], dtype=object)
