"""Maps itself over its rows with plain `jax.vmap`: each row counts in a copy that is dropped."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("updates-kept",)
MIN_FLAX = "0.11"


class Mapped(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.rows = nnx.Variable(jnp.zeros(()))

    def row(self, row):
        self.rows.value = self.rows.value + 1
        return self.dense(row)

    def __call__(self, x):
        return jax.vmap(lambda module, row: module.row(row), in_axes=(None, 0))(self, x)


subject = {"make": Mapped, "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(4, 3)]}
