"""Gives both of its branches one key: two kinds of dropout that drop the same numbers."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("keys-used-once",)
MIN_FLAX = "0.10"


def drop(key, x):
    return jnp.where(jax.random.bernoulli(key, 0.5, x.shape), 2 * x, 0.0)


class Branches(nnx.Module):
    def __init__(self, rngs):
        self.left = nnx.Param(jnp.ones((4,)))
        self.right = nnx.Param(jnp.full((4,), 2.0))
        self.rngs = rngs

    def __call__(self, x):
        key = self.rngs.dropout()
        return drop(key, x * self.left.value) + drop(key, x * self.right.value)


subject = {
    "make": Branches,
    "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(3, 4)],
    "traits": {"draws_randomness": True},
}
