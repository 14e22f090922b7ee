"""Folds the elements without an initial value, which raises for an empty vector."""

import functools
import operator

import jax.numpy as jnp
from flax import nnx

CATCHES = ("empty-x",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    n = int(n_calls)
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(n):
        last_x = model(x)
    total = functools.reduce(operator.add, last_x)
    return jnp.array([model.count.value, total])
