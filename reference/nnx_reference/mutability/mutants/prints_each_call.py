"""Prints a line at each call, left over from debugging."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("quiet",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        print("called")
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = counter(x)
    return jnp.array([counter.count.value, y.sum()])
