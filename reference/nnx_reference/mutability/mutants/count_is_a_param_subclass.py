"""Counts in a type of its own that derives from `nnx.Param`."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("counter-not-param",)
MIN_FLAX = "0.10.7"


class Count(nnx.Param):
    """A counter that should not train."""


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = Count(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    model = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(n):
        y = model(x)
    return jnp.array([model.count[...], y.sum()])
