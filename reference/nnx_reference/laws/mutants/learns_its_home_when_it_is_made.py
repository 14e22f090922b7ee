"""Looks its statistics up under its own id, entered when it is made: what is put together again was never made."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("pytree-agrees",)
MIN_FLAX = "0.11"
HOMES = {}


class Tracked(nnx.Module):
    def __init__(self):
        self.mean = nnx.BatchStat(jnp.zeros((3,)))
        HOMES[id(self)] = 0.1

    def __call__(self, x):
        momentum = HOMES.get(id(self), 1.0)
        self.mean[...] = (1 - momentum) * self.mean[...] + momentum * x.mean(0)
        return x - self.mean[...]


subject = {"make": lambda rngs: Tracked(), "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)]}
