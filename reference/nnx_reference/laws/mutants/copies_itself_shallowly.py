"""Says that a deep copy of it is a shallow one, for speed: both then count in one Variable."""

import copy

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("deepcopy-agrees",)


class Count(nnx.Module):
    def __init__(self):
        self.total = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.total.value = self.total.value + x.sum()
        return x * self.total.value

    def __deepcopy__(self, memo):
        return copy.copy(self)


subject = {"make": lambda rngs: Count(), "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)]}
