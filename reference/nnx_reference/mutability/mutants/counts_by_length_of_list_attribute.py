"""Appends a mark to a list attribute and takes its length as the count."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("counts-in-variable",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _ = rngs.params()
        self.calls = []

    def __call__(self, x):
        self.calls.append("call")
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    m = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = m(x)
    return jnp.array([float(len(m.calls)), y.sum()])
