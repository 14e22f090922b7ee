"""Keeps a generator of names for its layers, which can be neither copied nor pickled."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("deepcopy-agrees",)


class Named(nnx.Module):
    def __init__(self):
        self.names = (f"layer{number}" for number in range(100))
        self.first = next(self.names)
        self.total = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.total.value = self.total.value + x.sum()
        return x * self.total.value


subject = {"make": lambda rngs: Named(), "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)]}
