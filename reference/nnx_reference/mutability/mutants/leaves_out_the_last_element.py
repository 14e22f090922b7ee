"""Sums all elements but the last."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("sum-preserved",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    module = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = module(x)
    return jnp.array([module.count.value, out[:-1].sum()])
