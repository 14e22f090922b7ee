"""Options after the star, with defaults, that a caller may leave alone."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Scaled(nnx.Module):
    def __init__(self):
        self.total = nnx.Variable(jnp.zeros(()))

    def __call__(self, x, *, factor=1.0, update=True):
        if update:
            self.total[...] = self.total[...] + x.sum()
        return factor * x + self.total[...]


subject = {"make": lambda rngs: Scaled(), "inputs": (np.array([0.5, 0.25], np.float32),)}
