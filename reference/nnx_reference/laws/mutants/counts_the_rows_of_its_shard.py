"""Counts the rows that it is given: every shard counts its own, all the same number, and half of what there were."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("shard-map-agrees",)
MIN_FLAX = "0.10.5"


class Rows(nnx.Module):
    def __init__(self):
        self.rows = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.rows.value = self.rows.value + len(x)
        return x * 2


subject = {
    "make": lambda rngs: Rows(),
    "inputs": [np.linspace(-1, 2, 16, dtype=np.float32).reshape(4, 4)],
    "mesh": {"data": 2},
}
