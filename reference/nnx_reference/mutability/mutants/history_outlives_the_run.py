"""Appends each call to a global history that nothing ever empties, and counts that."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("fresh-state-per-run",)
MIN_FLAX = "0.10.7"

HISTORY = []


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        HISTORY.append(x.shape)
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = counter(x)
    return jnp.array([float(len(HISTORY)), out.sum()])
