"""Builds its Rngs from zero whatever the seed."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("key-consumed",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    n = int(n_calls)
    net = Counter(nnx.Rngs(0))
    last_x = x
    for _ in range(n):
        last_x = net(x)
    return jnp.array([net.count[...], last_x.sum()])
