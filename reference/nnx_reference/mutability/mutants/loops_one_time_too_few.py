"""Starts `range` at one and so makes one call too few."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("count-equals-calls", "one-increment-per-call")
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    model = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(1, int(n_calls)):
        y = model(x)
    return jnp.array([model.count[...], y.sum()])
