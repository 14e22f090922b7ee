"""Adds to the Variable and assigns the sum to the attribute, so the first call leaves a bare array there."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("wrapper-kept",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.scale = nnx.Param(jnp.ones((4,)))
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count = self.count[...] + 1.0
        return x * self.scale[...]


subject = {"make": lambda rngs: Counter(rngs=rngs), "inputs": (np.ones((2, 4), np.float32),)}
