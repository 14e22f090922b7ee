"""Keeps a copy of a row of its input, and returns the input itself."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Recall(nnx.Module):
    def __init__(self, size):
        self.row = nnx.Cache(jnp.zeros((size,)))

    def __call__(self, x):
        recalled = self.row.value
        self.row.value = jnp.array(x[-1])
        return x, recalled


subject = {
    "make": lambda rngs: Recall(4),
    "inputs": [np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4), np.ones((3, 4), np.float32)],
}
