"""Copies the count into a Python attribute at each call and returns the copy."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("result-reads-state",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))
        self.seen = 0.0

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        self.seen = float(self.count[...])
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = counter(x)
    return jnp.array([counter.seen, last_x.sum()])
