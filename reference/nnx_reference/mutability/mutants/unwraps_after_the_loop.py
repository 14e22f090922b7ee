"""Counts well, then replaces the Variable by its value to have a shorter return line."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("wrapper-kept",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = counter(x)
    counter.count = counter.count.value
    return jnp.array([counter.count, last_x.sum()])
