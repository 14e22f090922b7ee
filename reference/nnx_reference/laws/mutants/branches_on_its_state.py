"""Python's `if` on the count: plain Python works, and under jit it raises TracerBoolConversionError."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("jit-agrees", "remat-agrees", "cond-agrees")
MIN_FLAX = "0.10.7"


class Delayed(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)
        self.count = nnx.Variable(jnp.array(0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1
        if self.count[...] > 1:
            return self.dense(x)
        return x


subject = {"make": lambda rngs: Delayed(rngs), "inputs": (np.ones((1, 2), np.float32),)}
