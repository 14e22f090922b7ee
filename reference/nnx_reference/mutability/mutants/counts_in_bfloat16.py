"""Counts in bfloat16, where 256 + 1 is 256."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("many-calls",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0, dtype=jnp.bfloat16))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = counter(x)
    return jnp.array([counter.count[...], y.sum()], dtype=jnp.float32)
