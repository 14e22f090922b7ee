"""Rounds the sum to two decimals, as for display."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("sum-preserved",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = counter(x)
    return jnp.array([counter.count.value, jnp.round(out.sum(), 2)])
