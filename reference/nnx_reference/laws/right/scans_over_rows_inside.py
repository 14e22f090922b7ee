"""Carries itself through `nnx.scan` over the rows of its input."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Rows(nnx.Module):
    def __init__(self):
        self.level = nnx.Variable(jnp.zeros((2,)))

    def row(self, x):
        self.level[...] = 0.5 * self.level[...] + x
        return self.level[...]

    def __call__(self, x):
        return nnx.scan(lambda module, row: (module, module.row(row)), in_axes=(nnx.Carry, 0))(self, jnp.asarray(x))[1]


subject = {"make": lambda rngs: Rows(), "inputs": (np.arange(6, dtype=np.float32).reshape(3, 2),)}
