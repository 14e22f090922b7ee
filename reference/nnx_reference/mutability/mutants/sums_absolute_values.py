"""Sums magnitudes, which shows only where an element is negative."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("sum-preserved",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    net = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(n):
        output = net(x)
    return jnp.array([net.count[...], jnp.abs(output).sum()])
