"""Reads the count before each call and adds one, instead of reading it afterwards."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-state",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    net = Counter(nnx.Rngs(int(seed)))
    last_x, count = x, 0.0
    for _ in range(n):
        count = net.count.value + 1.0
        last_x = net(x)
    return jnp.array([count, last_x.sum()])
