"""Takes `rngs` and never draws a key from it."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("key-consumed",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        del rngs
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    net = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = net(x)
    return jnp.array([net.count.value, last_x.sum()])
