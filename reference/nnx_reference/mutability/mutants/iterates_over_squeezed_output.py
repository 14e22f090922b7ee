"""Squeezes the output before iterating over it, so a vector of one element raises TypeError."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("returns-pair",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = counter(x)
    total = 0.0
    for element in jnp.squeeze(y):
        total = total + element
    return jnp.array([counter.count[...], total])
