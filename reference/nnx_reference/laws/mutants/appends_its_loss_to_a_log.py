"""Appends its mean output to the list of a logger that it holds: under grad and jit that is a tracer, kept for ever."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("grad-clean",)


class Log:
    def __init__(self):
        self.means = []


class Logging(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)
        self.log = Log()

    def __call__(self, x):
        y = self.dense(x)
        self.log.means.append(jnp.mean(y))
        del self.log.means[:-4]
        return y


subject = {"make": lambda rngs: Logging(rngs), "inputs": (np.ones((2, 2), np.float32),)}
