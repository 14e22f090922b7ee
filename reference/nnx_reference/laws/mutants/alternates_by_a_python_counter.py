"""Updates every second call only, by a Python counter: a scan traces one call, and so takes one branch for all."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("scan-agrees", "no-hidden-state")
MIN_FLAX = "0.10.7"


class Lazy(nnx.Module):
    def __init__(self):
        self.turn = 0
        self.total = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.turn += 1
        if self.turn % 2:
            self.total[...] = self.total[...] + x.sum()
        return x + self.total[...]


subject = {"make": lambda rngs: Lazy(), "inputs": (np.ones((2,), np.float32),)}
