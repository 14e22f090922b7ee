"""Holds a PRNG key in a Variable and splits it at every call, without an Rngs."""

import jax
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Noise(nnx.Module):
    def __init__(self, rngs):
        self.key = nnx.Variable(rngs.noise())

    def __call__(self, x):
        now, later = jax.random.split(self.key.value)
        self.key.value = later
        return x + jax.random.normal(now, x.shape)


subject = {
    "make": lambda rngs: Noise(rngs),
    "inputs": (np.zeros((2, 3), np.float32),),
    "traits": {"draws_randomness": True},
}
