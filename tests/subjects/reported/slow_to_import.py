"""Right, and slow to import, as large packages are."""

import time

import jax.numpy as jnp
import numpy as np
from flax import nnx

time.sleep(6)


class Counts(nnx.Module):
    def __init__(self):
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x * self.count[...]


X = np.linspace(-2, 3, 15, dtype=np.float32).reshape(5, 3)
subject = {"make": lambda rngs: Counts(), "inputs": [X]}
