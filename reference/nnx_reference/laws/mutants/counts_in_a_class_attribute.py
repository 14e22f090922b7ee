"""`type(self).calls += 1`: the count that scales the output is the class's, and no state of any module."""

import numpy as np
from flax import nnx

CATCHES = ("no-hidden-state",)


class Annealed(nnx.Module):
    calls = 0

    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)

    def __call__(self, x):
        type(self).calls += 1
        return self.dense(x) / type(self).calls


subject = {"make": lambda rngs: Annealed(rngs), "inputs": (np.ones((1, 2), np.float32),)}
