"""Loops to `n_calls` inclusive and so calls the model once too often."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("count-equals-calls", "one-increment-per-call")


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls) + 1):
        y = counter(x)
    return jnp.array([counter.count.value, y.sum()])
