"""Holds the momentum of its running mean as a Param: no output depends on it in the same call, and decay changes it."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("param-trained",)


class Mean(nnx.Module):
    def __init__(self, rngs):
        self.momentum = nnx.Param(jnp.full((), 0.9))
        self.mean = nnx.BatchStat(jnp.zeros((3,)))
        self.dense = nnx.Linear(3, 3, rngs=rngs)

    def __call__(self, x):
        y = self.dense(x - jnp.asarray(self.mean))
        momentum = jnp.asarray(self.momentum)
        self.mean.value = momentum * jnp.asarray(self.mean) + (1 - momentum) * x.mean(0)
        return y


subject = {"make": Mean, "inputs": (np.linspace(-2, 3, 15, dtype=np.float32).reshape(5, 3),)}
