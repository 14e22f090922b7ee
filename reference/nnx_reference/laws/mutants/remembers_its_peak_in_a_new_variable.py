"""Normalises by a slow average of its peaks, which each call puts into another Variable."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("loop-agrees", "vjp-agrees")
MIN_FLAX = "0.12.6"


class Peak(nnx.Variable):
    pass


class PeakNorm(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.scale = nnx.Param(jnp.ones((1,)))
        self.peak = Peak(jnp.ones(()))

    def __call__(self, x):
        average = 0.75 * self.peak.get_value() + 0.25 * jnp.abs(x).max()
        self.peak = Peak(average)
        return self.scale.get_value() * x / average


subject = {"make": PeakNorm, "inputs": (np.array([[2.0, -1.0], [0.5, 4.0]], dtype=np.float32),)}
