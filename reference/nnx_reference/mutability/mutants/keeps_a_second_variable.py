"""Keeps a second Variable that nothing uses."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("one-variable-named-count",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))
        self.scratch = nnx.Variable(jnp.zeros(3))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(int(n_calls)):
        output = model(x)
    return jnp.array([model.count[...], output.sum()])
