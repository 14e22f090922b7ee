"""Counts only calls whose input has a sum of zero or more."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("count-equals-calls",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        if x.sum() >= 0:
            self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = counter(x)
    return jnp.array([counter.count.value, last_x.sum()])
