"""Counts positive batches in a branch of `jax.lax.cond`, which works on a copy: nothing is counted."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("updates-kept",)
MIN_FLAX = "0.11.2"


class Positive(nnx.Module):
    def __init__(self):
        self.count = nnx.Variable(jnp.zeros(()))

    def add(self, x):
        self.count[...] = self.count[...] + 1.0
        return x

    def __call__(self, x):
        return jax.lax.cond(x.sum() > 0, lambda module, x: module.add(x), lambda module, x: x, self, x)


subject = {"make": lambda rngs: Positive(), "inputs": (np.ones((2,), np.float32),)}
