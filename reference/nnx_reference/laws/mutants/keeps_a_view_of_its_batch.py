"""Keeps the last row of its batch: of a NumPy array, that is a view of the caller's memory."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("state-owned",)


class Smooth(nnx.Module):
    def __init__(self, size):
        self.weight = nnx.Param(jnp.full((size,), 0.5))
        self.row = nnx.Cache(jnp.zeros((size,)))

    def __call__(self, x):
        smooth = self.weight.value * x + (1 - self.weight.value) * self.row.value
        self.row.value = x[-1]
        return smooth


subject = {
    "make": lambda rngs: Smooth(4),
    "inputs": [np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4), np.ones((3, 4), np.float32)],
}
