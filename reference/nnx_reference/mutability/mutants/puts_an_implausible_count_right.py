"""Counts beside the model, and returns that number wherever the count is far from it."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("result-reads-state",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    last_x, calls = x, 0
    for _ in range(int(n_calls)):
        last_x, calls = counter(x), calls + 1
    count = counter.count.value
    return jnp.array([jnp.where(jnp.abs(count - calls) < 20, count, calls), last_x.sum()])
