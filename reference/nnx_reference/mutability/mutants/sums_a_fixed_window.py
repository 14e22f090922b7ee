"""Sums at most 65,536 elements, the size of its window."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("long-x",)

WINDOW = 65_536


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    n = int(n_calls)
    net = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(n):
        y = net(x)
    return jnp.array([net.count.value, y[:WINDOW].sum()])
