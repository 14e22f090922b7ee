"""Counts correctly, and at every third call resets by assigning a fresh zero over the Variable."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("wrapper-kept",)
MIN_FLAX = "0.10.7"


class Window(nnx.Module):
    def __init__(self, size: int = 3):
        self.size = size
        self.seen = 0
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        if isinstance(self.count, nnx.Variable):
            self.count[...] = self.count[...] + 1.0
        else:
            self.count = self.count + 1.0
        self.seen = (self.seen + 1) % self.size
        if self.seen == 0:
            self.count = jnp.zeros(())
        return x


subject = {"make": lambda rngs: Window(), "inputs": (np.arange(3, dtype=np.float32),)}
