"""Stores each output in a Variable of its own, under a name with the number of the call."""

import numpy as np
from flax import nnx

CATCHES = ("no-growth",)


class Traced(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)

    def __call__(self, x):
        y = self.dense(x)
        number = sum(name.startswith("output_") for name in vars(self))
        setattr(self, f"output_{number}", nnx.Cache(y))
        return y


subject = {"make": lambda rngs: Traced(rngs), "inputs": (np.ones((1, 2), np.float32),)}
