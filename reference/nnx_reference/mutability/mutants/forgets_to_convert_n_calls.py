"""Passes the float `n_calls` straight to `range`, which raises TypeError."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("returns-pair",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    model = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(n_calls):
        y = model(x)
    return jnp.array([model.count.value, y.sum()])
