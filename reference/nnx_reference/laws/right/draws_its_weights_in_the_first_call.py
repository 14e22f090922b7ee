"""Draws its weights in the first call, for the width of the input, and nothing in any later one."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Dense(nnx.Module):
    def __init__(self, rngs):
        self.rngs = rngs
        self.calls = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        if not hasattr(self, "kernel"):
            self.kernel = nnx.Param(jax.random.normal(self.rngs.params(), (x.shape[-1], 4)))
        self.calls[...] = self.calls[...] + 1
        return x @ self.kernel[...]


subject = {"make": lambda rngs: Dense(rngs), "inputs": (np.arange(6, dtype=np.float32).reshape(2, 3),)}
