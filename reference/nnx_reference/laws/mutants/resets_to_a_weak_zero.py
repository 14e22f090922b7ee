"""The total wraps around by `jnp.where(..., 0.0)` of two weakly typed branches now and then, so its weak type flips."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("structure-stable",)


class Total(nnx.Module):
    def __init__(self):
        self.total = nnx.Variable(jnp.zeros((), jnp.float32))
        self.turn = 0

    def __call__(self, x):
        self.turn = 1 - self.turn
        if self.turn:
            self.total.value = self.total.value + x.sum()
        else:
            self.total.value = jnp.array(0.0)  # weakly typed, where the sum is not
        return x


subject = {"make": lambda rngs: Total(), "inputs": (np.ones((4,), np.float32),)}
