"""Clips the sum at zero, so only negative sums are wrong."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("sum-preserved",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    module = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = module(x)
    return jnp.array([module.count[...], jnp.maximum(out.sum(), 0.0)])
