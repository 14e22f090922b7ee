"""Collects the outputs and returns how many there are."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-state",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    model = Counter(nnx.Rngs(int(seed)))
    outputs = [model(x) for _ in range(int(n_calls))]
    return jnp.array([float(len(outputs)), outputs[-1].sum()])
