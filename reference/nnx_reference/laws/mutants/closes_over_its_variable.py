"""Builds its step function once, in `__init__`, around the Variable itself: every copy counts in the first one's."""

import functools

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("split-merge-agrees", "clone-independent")


def bump(variable, x):
    variable.value = variable.value + 1.0
    return x * variable.value


class Prebuilt(nnx.Module):
    def __init__(self):
        self.count = nnx.Variable(jnp.zeros(()))
        self.step = functools.partial(bump, self.count)

    def __call__(self, x):
        return self.step(x)


subject = {"make": lambda rngs: Prebuilt(), "inputs": (np.ones((2,), np.float32),)}
