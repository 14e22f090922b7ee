"""Adds a Variable for a statistic that only a trace asks for: a gradient rule gives back another module than it got."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("custom-vjp-agrees",)
MIN_FLAX = "0.10.7"


class Probed(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)

    def __call__(self, x):
        y = self.dense(x)
        if isinstance(y, jax.core.Tracer):
            self.spread = nnx.BatchStat(jnp.zeros(()))
            self.spread.value = y.max() - y.min()
        return y


subject = {"make": Probed, "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2),)}
