"""Noise from one key in every call; the count of its calls moves, and decides nothing."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("rng-advances",)


class Noise(nnx.Module):
    def __init__(self, rngs):
        self.key = nnx.Variable(rngs.noise())
        self.calls = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1
        return x + jax.random.normal(self.key.value, x.shape)


subject = {
    "make": lambda rngs: Noise(rngs),
    "inputs": (np.ones((2, 3), np.float32),),
    "traits": {"draws_randomness": True},
}
