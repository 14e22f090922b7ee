"""Sums a preview of at most a hundred elements."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("sum-preserved",)

PREVIEW = 100


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = counter(x)
    return jnp.array([counter.count.value, last_x[:PREVIEW].sum()])
