"""Runs its step in `nnx.jit`, with itself as the argument, so plain Python is compiled as well."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


@nnx.jit
def step(module, x):
    module.mean[...] = 0.5 * module.mean[...] + 0.5 * x.mean(axis=0)
    return module.dense(x - module.mean[...])


class Compiled(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 3, rngs=rngs)
        self.mean = nnx.BatchStat(jnp.zeros((2,)))

    def __call__(self, x):
        return step(self, x)


subject = {"make": lambda rngs: Compiled(rngs), "inputs": (np.arange(4, dtype=np.float32).reshape(2, 2),)}
