"""Keeps `self._plain` or `self._noisy` as the function to call: a copy of the module goes on calling the original's."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("split-merge-agrees", "clone-independent")
MIN_FLAX = "0.10.7"


class Switched(nnx.Module):
    def __init__(self, plain: bool = True):
        self.total = nnx.Variable(jnp.zeros(()))
        self.forward = self._plain if plain else self._halved

    def _plain(self, x):
        self.total[...] = self.total[...] + x.sum()
        return x + self.total[...]

    def _halved(self, x):
        return self._plain(x) / 2

    def __call__(self, x):
        return self.forward(x)


subject = {"make": lambda rngs: Switched(), "inputs": (np.ones((3,), np.float32),)}
