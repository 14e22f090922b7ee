"""Keeps its table of offsets as an int32 nnx.Param: `nnx.grad` refuses to differentiate it."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("grad-clean",)


class Offsets(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.offsets = nnx.Param(jnp.arange(3))

    def __call__(self, x):
        return self.dense(x + self.offsets.value)


subject = {"make": lambda rngs: Offsets(rngs), "inputs": (np.ones((2, 3), np.float32),)}
