"""Splits its key, keeps one half for later, and draws from the key that it has just split."""

import jax
import numpy as np
from flax import nnx

CATCHES = ("keys-used-once",)


class Jitter(nnx.Module):
    def __init__(self, rngs):
        self.key = nnx.Variable(rngs.params())

    def __call__(self, x):
        key = self.key.value
        self.key.value, _ = jax.random.split(key)
        return x + jax.random.normal(key, x.shape)


subject = {
    "make": Jitter,
    "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(3, 4)],
    "traits": {"draws_randomness": True},
}
