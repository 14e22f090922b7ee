"""The outer module reaches into the inner one and replaces its Variable by a bare array."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("wrapper-kept",)


class Tally(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))


class Counter(nnx.Module):
    def __init__(self, rngs):
        self.tally = Tally(rngs)

    def __call__(self, x):
        self.tally.count = self.tally.count + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = counter(x)
    return jnp.array([counter.tally.count, y.sum()])
