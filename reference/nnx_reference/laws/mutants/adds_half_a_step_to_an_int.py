"""Adds 0.5 to an int32 count with `[...] =`: Flax casts the sum back, so the count stays 0."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("updates-kept",)
MIN_FLAX = "0.12.4"


class Halves(nnx.Module):
    def __init__(self):
        self.steps = nnx.Variable(jnp.array(0, jnp.int32))

    def __call__(self, x):
        self.steps[...] = self.steps[...] + 0.5
        return x


subject = {"make": lambda rngs: Halves(), "inputs": (np.ones((2,), np.float32),)}
