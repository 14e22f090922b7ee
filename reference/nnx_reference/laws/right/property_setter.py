"""A property with a setter writes through to the Variable, so `self.count = ...` keeps it."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self):
        self._count = nnx.Variable(jnp.zeros(()))

    @property
    def count(self):
        return self._count[...]

    @count.setter
    def count(self, number):
        self._count[...] = number

    def __call__(self, x):
        self.count = self.count + 1.0
        return x * self.count


subject = {"make": lambda rngs: Counter(), "inputs": (np.ones((2,), np.float32),)}
