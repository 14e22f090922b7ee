"""Draws one key when it is made and uses it in every call, so every mask of its dropout is the same."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("rng-advances",)


class FixedDropout(nnx.Module):
    def __init__(self, rate, rngs):
        self.rate = rate
        self.key = nnx.Variable(rngs.dropout())

    def __call__(self, x):
        keep = jax.random.bernoulli(self.key.value, 1 - self.rate, x.shape)
        return jnp.where(keep, x / (1 - self.rate), 0.0)


subject = {
    "make": lambda rngs: FixedDropout(0.5, rngs),
    "inputs": (np.ones((4, 16), np.float32),),
    "traits": {"draws_randomness": True},
}
