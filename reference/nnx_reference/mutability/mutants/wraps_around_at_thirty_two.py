"""Counts modulo 32, like a five-bit hardware counter."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("count-equals-calls", "one-increment-per-call")
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = jnp.mod(self.count[...] + 1.0, 32.0)
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    net = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = net(x)
    return jnp.array([net.count[...], y.sum()])
