"""Counts by kind in an nnx.Dict of Variables."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.12.0"


class Kinds(nnx.Module):
    def __init__(self):
        self.counts = nnx.Dict({name: nnx.Variable(jnp.zeros((), jnp.int32)) for name in ("low", "high")})

    def __call__(self, x):
        self.counts["low"][...] = self.counts["low"][...] + (x < 0).sum()
        self.counts["high"][...] = self.counts["high"][...] + (x >= 0).sum()
        return self.counts["high"][...] - self.counts["low"][...]


subject = {"make": lambda rngs: Kinds(), "inputs": (np.array([1.0, -2.0, 3.0], np.float32),)}
