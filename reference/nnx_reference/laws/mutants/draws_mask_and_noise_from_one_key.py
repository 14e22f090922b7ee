"""Draws a mask and noise from one key: where the one is large, so is the other."""

import jax
import numpy as np
from flax import nnx

CATCHES = ("keys-used-once",)
MIN_FLAX = "0.10"


class Noisy(nnx.Module):
    def __init__(self, rngs):
        self.rngs = rngs

    def __call__(self, x):
        key = self.rngs.noise()
        return jax.random.bernoulli(key, 0.5, x.shape) * (x + jax.random.normal(key, x.shape))


subject = {
    "make": Noisy,
    "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(3, 4)],
    "traits": {"draws_randomness": True},
}
