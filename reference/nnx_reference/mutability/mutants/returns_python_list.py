"""Returns a Python list of two floats where an array is asked for."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("returns-pair",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    net = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(n):
        output = net(x)
    return [float(net.count.value), float(output.sum())]
