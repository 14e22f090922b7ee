"""Starts with a plain Variable and wraps each new value in an `nnx.Param`."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("counter-not-param",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count = nnx.Param(self.count.value + 1.0)
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
