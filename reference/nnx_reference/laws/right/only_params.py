"""No state but Params."""

import numpy as np
from flax import nnx


class Mlp(nnx.Module):
    def __init__(self, rngs):
        self.one = nnx.Linear(3, 4, rngs=rngs)
        self.two = nnx.Linear(4, 2, rngs=rngs)

    def __call__(self, x):
        return self.two(nnx.relu(self.one(x)))


subject = {"make": lambda rngs: Mlp(rngs), "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),)}
