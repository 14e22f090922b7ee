"""The Variable starts with a NumPy array, which calls replace and never edit."""

import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Histogram(nnx.Module):
    def __init__(self, bins):
        self.counts = nnx.Variable(np.zeros((bins,), np.float32))

    def __call__(self, x):
        self.counts.value = self.counts.value + 1.0
        return x * self.counts.value.sum()


subject = {"make": lambda rngs: Histogram(4), "inputs": (np.ones((2,), np.float32),)}
