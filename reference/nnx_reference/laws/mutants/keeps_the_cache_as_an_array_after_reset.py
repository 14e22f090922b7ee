"""A key cache whose Variable is filled rightly; once it is full, `reset` puts a fresh array where the Variable was."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("wrapper-kept",)
MIN_FLAX = "0.10.7"


class KeyCache(nnx.Module):
    def __init__(self, length, features):
        self.length = length
        self.keys = nnx.Cache(jnp.zeros((length, features)))
        self.filled = 0

    def reset(self):
        self.keys = jnp.zeros_like(self.keys[...])
        self.filled = 0

    def __call__(self, x):
        if self.filled == self.length:
            self.reset()
        keys = jax.lax.dynamic_update_slice(self.keys[...], x[None], (self.filled, 0))
        if isinstance(self.keys, nnx.Variable):
            self.keys[...] = keys
        else:
            self.keys = keys
        self.filled += 1
        return keys.sum(axis=0)


subject = {"make": lambda rngs: KeyCache(2, 3), "inputs": (np.array([1.0, 2.0, 3.0], np.float32),)}
