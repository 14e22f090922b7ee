"""Counts positive batches in one branch of `nnx.cond`."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Positive(nnx.Module):
    def __init__(self):
        self.count = nnx.Variable(jnp.zeros(()))

    def add(self):
        self.count[...] = self.count[...] + 1.0

    def __call__(self, x):
        nnx.cond(x.sum() > 0, lambda module: module.add(), lambda module: None, self)
        return x * self.count[...]


subject = {"make": lambda rngs: Positive(), "inputs": (np.ones((2,), np.float32),)}
