"""Replaces the Variable by a Python float, which NNX then treats as static."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("wrapper-kept",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count = float(self.count) + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    net = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = net(x)
    return jnp.array([net.count, y.sum()])
