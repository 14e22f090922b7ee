"""Holds its count as a bare jax.Array from the start, as Flax's toy example of array leaves does."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Counted(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)
        self.count = jnp.array(0)

    def __call__(self, x):
        self.count = self.count + 1
        return self.dense(x) * self.count


subject = {"make": lambda rngs: Counted(rngs), "inputs": (np.ones((1, 2), np.float32),)}
