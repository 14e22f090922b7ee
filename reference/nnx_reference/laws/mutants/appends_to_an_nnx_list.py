"""Appends a Variable to an nnx.List at every call, as one would to a Python list."""

import numpy as np
from flax import nnx

CATCHES = ("no-growth",)
MIN_FLAX = "0.12.0"


class Memory(nnx.Module):
    def __init__(self):
        self.seen = nnx.List([])

    def __call__(self, x):
        self.seen.append(nnx.Variable(x.mean() * 1.0))
        return x - sum(one[...] for one in self.seen)


subject = {"make": lambda rngs: Memory(), "inputs": (np.arange(3, dtype=np.float32),)}
