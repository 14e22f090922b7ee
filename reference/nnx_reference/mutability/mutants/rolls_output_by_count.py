"""Rotates its input by one place per call."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("output-unchanged",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return jnp.roll(x, int(self.count[...]))


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(n):
        last_x = model(x)
    return jnp.array([model.count[...], last_x.sum()])
