"""Holds a table of positions as a Param and reads it through `stop_gradient`: weight decay shrinks it step by step."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("param-trained",)


class Positions(nnx.Module):
    def __init__(self, rngs):
        self.table = nnx.Param(jnp.sin(jnp.arange(4.0)))
        self.dense = nnx.Linear(4, 2, rngs=rngs)

    def __call__(self, x):
        return self.dense(x + jax.lax.stop_gradient(jnp.asarray(self.table)))


subject = {"make": Positions, "inputs": (np.arange(12, dtype=np.float32).reshape(3, 4) / 5,)}
