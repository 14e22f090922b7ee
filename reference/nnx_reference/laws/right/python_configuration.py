"""Attributes of plain Python that no call changes: numbers, names, a tuple, a function, None."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Configured(nnx.Module):
    def __init__(self, rngs):
        self.rate, self.name, self.sizes, self.bias = 0.25, "layer", (2, 3), None
        self.activation = jnp.tanh
        self.dense = nnx.Linear(*self.sizes, rngs=rngs)
        self.mean = nnx.BatchStat(jnp.zeros((3,)))

    def __call__(self, x):
        y = self.activation(self.dense(x))
        self.mean.value = (1 - self.rate) * self.mean.value + self.rate * y.mean(axis=0)
        return y - self.mean.value


subject = {"make": lambda rngs: Configured(rngs), "inputs": (np.ones((2, 2), np.float32),)}
