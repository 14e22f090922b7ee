"""Counts in a Variable that holds a mutable JAX reference."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("zero-calls",)
MIN_FLAX = "0.12.8"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        try:
            self.count = nnx.Variable(jnp.array(0.0), ref=True)
        except TypeError:
            self.count = nnx.Variable(jnp.array(0.0), use_ref=True)

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count[...], last_x.sum()])
