"""Keeps its Variable in a plain object, into which neither Flax nor JAX looks when it takes the module apart."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("pytree-agrees",)
MIN_FLAX = "0.11"


class Box:
    def __init__(self, value):
        self.value = nnx.Variable(value)


class Boxed(nnx.Module):
    def __init__(self):
        self.scale = nnx.Param(jnp.ones((3,)))
        self.box = Box(jnp.zeros((3,)))

    def __call__(self, x):
        self.box.value[...] = 0.9 * self.box.value[...] + 0.1 * x.mean(0)
        return (x - self.box.value[...]) * self.scale[...]


subject = {"make": lambda rngs: Boxed(), "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)]}
