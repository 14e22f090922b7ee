"""`type(self).last = y`, for a look at it later: under a transform, that is a tracer, and it stays."""

import numpy as np
from flax import nnx

CATCHES = ("grad-clean",)


class Probed(nnx.Module):
    last = None

    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)

    def __call__(self, x):
        y = self.dense(x)
        type(self).last = y
        return y


subject = {"make": lambda rngs: Probed(rngs), "inputs": (np.ones((1, 2), np.float32),)}
