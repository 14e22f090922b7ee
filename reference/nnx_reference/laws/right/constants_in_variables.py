"""Keeps a table and a bound as Variables that no call changes."""

import jax.numpy as jnp
import numpy as np
from flax import nnx


class Clipped(nnx.Module):
    def __init__(self):
        self.table = nnx.Variable(jnp.cos(jnp.arange(3.0)))
        self.bound = nnx.Variable(jnp.array(2.0))

    def __call__(self, x):
        bound = jnp.asarray(self.bound)
        return jnp.clip(x * jnp.asarray(self.table), -bound, bound)


subject = {"make": lambda rngs: Clipped(), "inputs": (np.linspace(-2, 3, 15, dtype=np.float32).reshape(5, 3),)}
