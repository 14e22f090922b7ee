"""Assigns to the attribute and reads the bare array back: right numbers, no Variable left."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("wrapper-kept",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count = self.count + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    counter = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(n):
        last_x = counter(x)
    return jnp.array([counter.count, last_x.sum()])
