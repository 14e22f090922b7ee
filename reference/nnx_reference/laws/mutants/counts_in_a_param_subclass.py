"""A step count in a class of its own derived from nnx.Param, so every filter for Params takes it for a weight."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("params-untouched", "optimizer-safe")
MIN_FLAX = "0.10.7"


class Step(nnx.Param):
    pass


class Warmup(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)
        self.step = Step(jnp.ones(()))

    def __call__(self, x):
        self.step[...] = self.step[...] + 1.0
        return self.dense(x) * jnp.minimum(1.0, self.step[...] / 10.0)


subject = {"make": lambda rngs: Warmup(rngs), "inputs": (np.ones((1, 2), np.float32),)}
