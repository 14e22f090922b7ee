"""Wrong, silently, from Flax 0.11 on: plain jax.jit updates a copy of the module."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx


@jax.jit
def advance(tracker, x):
    tracker.mean[...] = 0.9 * tracker.mean[...] + 0.1 * x.mean(0)
    return x - tracker.mean[...]


class Tracker(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros((3,)))

    def __call__(self, x):
        return advance(self, x)


X = np.linspace(-2, 3, 15, dtype=np.float32).reshape(5, 3)
subject = {"make": lambda rngs: Tracker(), "inputs": [X, np.cos(X)]}
