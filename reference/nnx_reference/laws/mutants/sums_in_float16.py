"""Sums what it is given in float16: at 65504 the total is infinite, and adding small numbers stalls long before."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("state-precision",)


class Total(nnx.Module):
    def __init__(self):
        self.total = nnx.Variable(jnp.zeros((), jnp.float16))

    def __call__(self, x):
        self.total.value = self.total.value + x.sum().astype(jnp.float16)
        return x


subject = {"make": lambda rngs: Total(), "inputs": (np.full((8,), 250.0, np.float32),)}
