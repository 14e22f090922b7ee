"""Counts in an `nnx.Param`, and hides NaN and infinities."""

import jax.numpy as jnp
from flax import nnx


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Param(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return jnp.nan_to_num(x)


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
