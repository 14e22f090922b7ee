"""Calls once more than asked and takes one off in the result."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("one-increment-per-call",)
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
    last_x = x
    for _ in range(int(n_calls) + 1):
        last_x = counter(x)
    return jnp.array([counter.count[...] - 1.0, last_x.sum()])
