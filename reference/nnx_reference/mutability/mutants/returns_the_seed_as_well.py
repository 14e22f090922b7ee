"""Appends the seed to the result, which makes it three long."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("returns-pair",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    net = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(n):
        y = net(x)
    return jnp.array([net.count.value, y.sum(), seed])
