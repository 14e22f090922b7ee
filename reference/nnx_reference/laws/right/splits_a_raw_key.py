"""Noise from a key as JAX had them before typed ones, two words in a Variable, which it splits in every call."""

import jax
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Noise(nnx.Module):
    def __init__(self, rngs):
        self.key = nnx.Variable(jax.random.key_data(rngs.noise()))

    def __call__(self, x):
        now, later = jax.random.split(self.key.value)
        self.key.value = later
        return x + jax.random.normal(now, x.shape)


subject = {
    "make": lambda rngs: Noise(rngs),
    "inputs": (np.zeros((2, 3), np.float32),),
    "traits": {"draws_randomness": True},
}
