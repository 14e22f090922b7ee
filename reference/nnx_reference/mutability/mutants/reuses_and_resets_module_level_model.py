"""Builds the model once at import and resets its count in each run, which creates no module."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("counts-in-variable",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


MODEL = Counter(nnx.Rngs(0))


def mutability_increment_count(seed, x, n_calls):
    MODEL.count.value = jnp.array(0.0)
    last_x = x
    for _ in range(int(n_calls)):
        last_x = MODEL(x)
    return jnp.array([MODEL.count.value, last_x.sum()])
