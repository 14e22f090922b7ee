"""The Variable holds a NumPy array and calls add to it in place: `nnx.clone` shares the buffer, so both count."""

import numpy as np
from flax import nnx

CATCHES = ("clone-independent",)


class Histogram(nnx.Module):
    def __init__(self, bins):
        self.counts = nnx.Variable(np.zeros((bins,), np.float32))

    def __call__(self, x):
        counts = self.counts.value
        if isinstance(counts, np.ndarray):
            counts += 1.0
        else:
            self.counts.value = counts + 1.0
        return x * self.counts.value.sum()


subject = {"make": lambda rngs: Histogram(4), "inputs": (np.ones((2,), np.float32),)}
