"""Two layers with one Variable, handed over when they are made; each adds to it."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access", "tree-mode-ready")


class Adds(nnx.Module):
    def __init__(self, total, weight):
        self.total = total
        self.weight = weight

    def __call__(self, x):
        self.total.value = self.total.value + self.weight * x.sum()
        return x + self.total.value


class Pair(nnx.Module):
    def __init__(self):
        self.total = nnx.Variable(jnp.zeros(()))
        self.one, self.two = Adds(self.total, 1.0), Adds(self.total, 2.0)

    def __call__(self, x):
        return self.two(self.one(x))


subject = {"make": lambda rngs: Pair(), "inputs": (np.array([0.5, -0.25], np.float32),)}
