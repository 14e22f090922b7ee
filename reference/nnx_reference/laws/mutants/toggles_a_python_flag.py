"""Alternates between two gains by a Python bool that every call flips: no branch of a cond may do that."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("cond-agrees",)
MIN_FLAX = "0.10.7"


class Toggle(nnx.Module):
    def __init__(self):
        self.on = True
        self.total = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.on = not self.on
        self.total[...] = self.total[...] + x.sum()
        return x * (2.0 if self.on else 1.0)


subject = {"make": lambda rngs: Toggle(), "inputs": (np.ones((2,), np.float32),)}
