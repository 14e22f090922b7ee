"""Drops what lies below a threshold, which is a Param: a comparison has no gradient, so that it is never trained."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("param-trained",)


class Threshold(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.least = nnx.Param(jnp.full((3,), 0.1))

    def __call__(self, x):
        y = self.dense(x)
        return jnp.where(y > jnp.asarray(self.least), y, 0.0)


subject = {"make": Threshold, "inputs": (np.linspace(-2, 3, 15, dtype=np.float32).reshape(5, 3),)}
