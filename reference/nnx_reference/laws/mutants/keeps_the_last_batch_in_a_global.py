"""Adds the previous batch from a name of the module: what one model was called with decides what another returns."""

import numpy as np
from flax import nnx

CATCHES = ("no-hidden-state",)

_previous = None


class Residual(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)

    def __call__(self, x):
        global _previous
        y = self.dense(x)
        total = y if _previous is None else y + _previous
        _previous = 0.5 * total
        return total


subject = {"make": lambda rngs: Residual(rngs), "inputs": (np.ones((1, 2), np.float32),)}
