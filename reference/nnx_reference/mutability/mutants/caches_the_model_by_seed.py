"""Caches models by seed, so a seed seen before meets a used counter."""

from functools import cache

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("fresh-state-per-run",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@cache
def build(seed):
    return Counter(nnx.Rngs(seed))


def mutability_increment_count(seed: float, x, n_calls: float):
    module = build(int(seed))
    y = x
    for _ in range(int(n_calls)):
        y = module(x)
    return jnp.array([module.count.value, y.sum()])
