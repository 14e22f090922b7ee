"""Reads `.value` and assigns to the attribute; the next `.value` raises AttributeError."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("wrapper-kept",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = model(x)
    return jnp.array([model.count.value, out.sum()])
