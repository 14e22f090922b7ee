"""Sows its activations in every call, and nobody takes them out: the tuple of intermediates grows."""

import numpy as np
from flax import nnx

CATCHES = ("no-growth",)


class Sown(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 3, rngs=rngs)

    def __call__(self, x):
        y = self.dense(x)
        self.sow(nnx.Intermediate, "activations", y)
        return y


subject = {"make": lambda rngs: Sown(rngs), "inputs": (np.ones((2, 2), np.float32),)}
