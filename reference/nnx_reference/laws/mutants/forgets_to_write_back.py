"""Reads the count, adds one, and uses the sum, but never writes it back."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("state-moves",)


class Counter(nnx.Module):
    def __init__(self):
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        count = self.count.value
        count = count + 1.0
        return x * count


subject = {"make": lambda rngs: Counter(), "inputs": (np.ones((2,), np.float32),)}
