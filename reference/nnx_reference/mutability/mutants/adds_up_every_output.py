"""Accumulates the sums of all outputs, so the second entry grows with each call."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("sum-preserved",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    total = 0.0
    for _ in range(int(n_calls)):
        last_x = model(x)
        total = total + last_x.sum()
    return jnp.array([model.count.value, total])
