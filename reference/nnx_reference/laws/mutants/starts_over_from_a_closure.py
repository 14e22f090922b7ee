"""Starts over from an array that a closure holds: it is the one that the Variable was made with."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("donation-safe",)
MIN_FLAX = "0.12.4"


class Bounded(nnx.Module):
    def __init__(self, bound):
        start = jnp.zeros((2,))
        self.total = nnx.Variable(start)
        self.begin = lambda: start
        self.bound = bound

    def __call__(self, x):
        total = self.total[...] + x.mean(0)
        self.total[...] = jnp.where(jnp.abs(total) > self.bound, self.begin(), total)
        return x - total


subject = {"make": lambda rngs: Bounded(4.0), "inputs": (np.linspace(-1, 2, 6, dtype=np.float32).reshape(3, 2),)}
