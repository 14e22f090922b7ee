"""`nnx.Variable(0)` holds a Python int until a transform makes a weakly typed array of it."""

import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self):
        self.count = nnx.Variable(0)

    def __call__(self, x):
        self.count.value = self.count.value + 1
        return x * self.count.value


subject = {"make": lambda rngs: Counter(), "inputs": (np.ones((2,), np.float32),)}
