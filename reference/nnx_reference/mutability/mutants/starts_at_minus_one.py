"""Starts at minus one and calls once too often: two errors that cancel out."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("one-increment-per-call",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(-1.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls) + 1):
        out = model(x)
    return jnp.array([model.count.value, out.sum()])
