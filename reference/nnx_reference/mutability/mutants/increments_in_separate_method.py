"""Splits counting from calling: the loop calls `tick` after each call of the module."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-increment-per-call",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        return x

    def tick(self):
        self.count[...] = self.count[...] + 1.0


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    net = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(n):
        last_x = net(x)
        net.tick()
    return jnp.array([net.count[...], last_x.sum()])
