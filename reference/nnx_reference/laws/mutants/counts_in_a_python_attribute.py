"""Counts its calls in a Python int, for a log line: every call changes the graphdef, so `nnx.jit` compiles anew."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("structure-stable",)


class Logged(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.n_calls = 0

    def __call__(self, x):
        self.n_calls += 1
        return jnp.tanh(self.dense(x))


subject = {"make": lambda rngs: Logged(rngs), "inputs": (np.ones((1, 3), np.float32),)}
