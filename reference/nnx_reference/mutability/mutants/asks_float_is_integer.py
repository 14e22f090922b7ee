"""Validates with `float.is_integer`, which takes Python floats only."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("scalar-types",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    if not float.is_integer(n_calls):
        raise ValueError(f"n_calls must be whole, got {n_calls}")
    n = int(n_calls)
    net = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(n):
        y = net(x)
    return jnp.array([net.count[...], y.sum()])
