"""Reads the next number of its schedule: when there is none, JAX gives the last one for ever."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("indices-in-bounds",)


class Scheduled(nnx.Module):
    def __init__(self):
        self.schedule = nnx.Variable(jnp.linspace(1.0, 0.5, 8))
        self.step = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        scale = self.schedule.value[self.step.value]
        self.step.value = self.step.value + 1
        return x * scale


subject = {"make": lambda rngs: Scheduled(), "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)]}
