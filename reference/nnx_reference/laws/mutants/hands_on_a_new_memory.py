"""Keeps its memory as an immutable record would: each call puts a new submodule in the place of the old one."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("cond-agrees", "loop-agrees")
MIN_FLAX = "0.12.6"


class Memory(nnx.Module):
    def __init__(self, level):
        self.level = nnx.Variable(level)

    def after(self, x):
        return Memory(0.9 * self.level.get_value() + 0.1 * jnp.mean(x))


class Leveller(nnx.Module):
    def __init__(self, rngs):
        self.gain = nnx.Param(jnp.ones(()))
        self.memory = Memory(jnp.zeros(()))

    def __call__(self, x):
        self.memory = self.memory.after(x)
        return self.gain.get_value() * (x - self.memory.level.get_value())


subject = {"make": Leveller, "inputs": (np.linspace(-1, 1, 4, dtype=np.float32),)}
