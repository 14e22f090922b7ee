"""Doubles the reported count once it is above 32."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("count-equals-calls",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    module = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(n):
        out = module(x)
    count = module.count[...]
    count = jnp.where(count > 32, 2 * count, count)
    return jnp.array([count, out.sum()])
