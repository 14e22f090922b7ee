"""Takes a key from its stream in every call, and makes the mask from one that never changes."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("rng-advances",)


class Dropout(nnx.Module):
    def __init__(self, rate, rngs):
        self.rate = rate
        self.rngs = rngs

    def __call__(self, x):
        key = self.rngs.dropout()
        key = jax.random.key(0)
        keep = jax.random.bernoulli(key, 1 - self.rate, x.shape)
        return jnp.where(keep, x / (1 - self.rate), 0.0)


subject = {
    "make": lambda rngs: Dropout(0.5, rngs),
    "inputs": (np.ones((4, 16), np.float32),),
    "traits": {"draws_randomness": True},
}
