"""Insists on at least one call."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("zero-calls",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    if int(n_calls) < 1:
        raise ValueError("n_calls must be at least 1")
    net = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = net(x)
    return jnp.array([net.count[...], y.sum()])
