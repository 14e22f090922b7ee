"""Makes a new Variable for each new sum: `nnx.vjp` hands back what the old one holds."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("loop-agrees", "vjp-agrees")
MIN_FLAX = "0.12.6"


class Sum(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)
        self.total = nnx.BatchStat(jnp.zeros((2,)))

    def __call__(self, x):
        y = self.dense(x)
        self.total = nnx.BatchStat(self.total.value + y.sum(0))
        return y


subject = {"make": Sum, "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2),)}
