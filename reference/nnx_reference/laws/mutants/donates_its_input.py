"""Runs its arithmetic in a jit that donates the input: a caller's jax.Array is deleted."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("input-untouched",)


@functools.partial(jax.jit, donate_argnums=0)
def scaled(x, scale):
    return x * scale


class Scale(nnx.Module):
    def __init__(self):
        self.scale = nnx.Param(jnp.float32(2.0))

    def __call__(self, x):
        return scaled(x, self.scale.value)


subject = {"make": lambda rngs: Scale(), "inputs": (np.arange(256, dtype=np.float32),)}
