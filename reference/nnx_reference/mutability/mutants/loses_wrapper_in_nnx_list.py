"""Keeps the Variable in an `nnx.List` and replaces the list's element by a bare array."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("wrapper-kept",)
MIN_FLAX = "0.12"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.counts = nnx.List([nnx.Variable(jnp.zeros(()))])

    def __call__(self, x):
        self.counts[0] = self.counts[0] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    counter = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(n):
        out = counter(x)
    return jnp.array([counter.counts[0], out.sum()])
