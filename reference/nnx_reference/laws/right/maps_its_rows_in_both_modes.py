"""Gives each row an offset of its own by mapping over a state that it split off, which both of Flax's modes allow."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.12.6"


class Offsets(nnx.Module):
    def __init__(self, rngs):
        self.linear = nnx.Linear(4, 4, rngs=rngs)
        self.offset = nnx.BatchStat(jnp.zeros((3, 4)))

    def __call__(self, x):
        graphdef, params = nnx.split(self.linear)
        rows = nnx.vmap(lambda params, row: nnx.merge(graphdef, params)(row), in_axes=(None, 0))(params, x)
        self.offset[...] = 0.9 * self.offset[...] + 0.1 * rows
        return rows - self.offset[...]


X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
subject = {"make": Offsets, "inputs": [X, np.cos(X)]}
