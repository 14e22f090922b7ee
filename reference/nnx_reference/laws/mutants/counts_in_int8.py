"""Counts in int8: after 127 calls the count is -128."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("state-precision",)
MIN_FLAX = "0.10.7"


class Counted(nnx.Module):
    def __init__(self):
        self.steps = nnx.Variable(jnp.zeros((), jnp.int8))

    def __call__(self, x):
        self.steps[...] = self.steps[...] + jnp.int8(1)
        return x / self.steps[...]


subject = {"make": lambda rngs: Counted(), "inputs": (np.ones((2,), np.float32),)}
