"""Keeps the Variable in a list and replaces the list's element by a bare array."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("wrapper-kept",)
BELOW_FLAX = "0.12"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _ = rngs.params()
        self.counts = [nnx.Variable(jnp.array(0.0))]

    def __call__(self, x):
        self.counts[0] = self.counts[0] + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    n = int(n_calls)
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(n):
        last_x = model(x)
    return jnp.array([model.counts[0], last_x.sum()])
