"""A dict attribute for plots: the last activations by layer. Written under a transform, it holds tracers afterwards."""

import numpy as np
from flax import nnx

CATCHES = ("grad-clean",)
MIN_FLAX = "0.12.6"


class Watched(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Linear(2, 3, rngs=rngs)
        self.second = nnx.Linear(3, 2, rngs=rngs)
        self.seen = {}

    def __call__(self, x):
        hidden = nnx.relu(self.first(x))
        self.seen["hidden"] = hidden
        return self.second(hidden)


subject = {"make": lambda rngs: Watched(rngs), "inputs": (np.ones((1, 2), np.float32),)}
