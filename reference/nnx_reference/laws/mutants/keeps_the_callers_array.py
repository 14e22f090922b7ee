"""Keeps its last input as it is: a NumPy array belongs to the caller, whose loader fills it again."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("state-owned",)


class Difference(nnx.Module):
    def __init__(self, shape):
        self.last = nnx.Cache(jnp.zeros(shape))

    def __call__(self, x):
        moved = x - self.last.value
        self.last.value = x
        return moved


subject = {
    "make": lambda rngs: Difference((3, 4)),
    "inputs": [np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4), np.ones((3, 4), np.float32)],
}
