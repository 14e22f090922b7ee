"""Counts by ones in bfloat16, which stops at 256."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("state-precision",)


class Counted(nnx.Module):
    def __init__(self):
        self.count = nnx.Variable(jnp.zeros((), jnp.bfloat16))

    def __call__(self, x):
        self.count.value = self.count.value + 1
        return x


subject = {"make": lambda rngs: Counted(), "inputs": (np.ones((2,), np.float32),)}
