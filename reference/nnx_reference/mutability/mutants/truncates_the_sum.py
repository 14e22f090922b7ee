"""Converts the sum to a Python int before it goes into the result."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("sum-preserved",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(n):
        last_x = model(x)
    return jnp.array([model.count.value, float(int(last_x.sum()))])
