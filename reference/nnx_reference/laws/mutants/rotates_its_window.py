"""Keeps the last outputs in a list of Variables that it rotates: the names move, and a scan cannot carry them."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("scan-agrees", "structure-stable")
MIN_FLAX = "0.12.0"


class Rotating(nnx.Module):
    def __init__(self):
        self.window = nnx.List([nnx.Variable(jnp.zeros(())), nnx.Cache(jnp.zeros(()))])

    def __call__(self, x):
        oldest, newest = self.window
        oldest[...] = x.sum()
        self.window = nnx.List([newest, oldest])
        return x + newest[...]


subject = {"make": lambda rngs: Rotating(), "inputs": (np.ones((2,), np.float32),)}
