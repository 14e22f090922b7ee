"""Loses the wrapper through the built-in `setattr`, with the attribute's name in a constant."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("wrapper-kept",)

FIELD = "count"


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        setattr(self, FIELD, getattr(self, FIELD) + 1.0)
        return x


def mutability_increment_count(seed, x, n_calls):
    net = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = net(x)
    return jnp.array([net.count, last_x.sum()])
