"""Computes the sum before the first call."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-output",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    net = Counter(nnx.Rngs(int(seed)))
    total = x.sum()
    for _ in range(n):
        x = net(x)
    return jnp.array([net.count[...], total])
