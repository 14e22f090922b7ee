"""Returns a tuple of two JAX scalars and leaves the stacking to the caller."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("returns-pair",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    module = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = module(x)
    return module.count[...], y.sum()
