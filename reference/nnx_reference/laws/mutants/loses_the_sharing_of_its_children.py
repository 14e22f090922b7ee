"""Sends a pair of children that share their counter through `jax.jit` and keeps what comes back: two counters now."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("structure-stable",)
MIN_FLAX = "0.11.2"


class Counted(nnx.Module):
    def __init__(self, count):
        self.count = count

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x * 2.0


class Pair(nnx.Module):
    def __init__(self):
        count = nnx.Variable(jnp.zeros(()))
        self.first, self.second = Counted(count), Counted(count)

    def __call__(self, x):
        def both(first, second, x):
            y = second(first(x))
            return first, second, y

        self.first, self.second, y = jax.jit(both)(self.first, self.second, x)
        return y


subject = {"make": lambda rngs: Pair(), "inputs": (np.ones((2,), np.float32),)}
