"""Leaves its running mean alone while JAX traces, so as to leak no tracer: under jit the statistics never move."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("jit-agrees", "remat-agrees", "cond-agrees")


class Careful(nnx.Module):
    def __init__(self, features):
        self.mean = nnx.BatchStat(jnp.zeros((features,)))

    def __call__(self, x):
        if not isinstance(x, jax.core.Tracer):
            self.mean.value = 0.5 * self.mean.value + 0.5 * x.mean(axis=0)
        return x - self.mean.value


subject = {"make": lambda rngs: Careful(2), "inputs": (np.arange(4, dtype=np.float32).reshape(2, 2),)}
