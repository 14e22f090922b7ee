"""The module itself is up to date; a child of it still reads `.value`."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("current-access",)
MIN_FLAX = "0.12.1"


class Old(nnx.Module):
    def __init__(self):
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count.value + 1.0
        return x


class New(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)
        self.old = Old()

    def __call__(self, x):
        return self.old(self.dense(x))


subject = {"make": lambda rngs: New(rngs), "inputs": (np.ones((1, 2), np.float32),)}
