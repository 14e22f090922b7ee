"""Writes `self.count += 1.0` without `.value`, which Flax 0.12 refuses with NotImplementedError."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("returns-pair",)
MIN_FLAX = "0.12"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count += 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    counter = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = counter(x)
    return jnp.array([counter.count.value, last_x.sum()])
