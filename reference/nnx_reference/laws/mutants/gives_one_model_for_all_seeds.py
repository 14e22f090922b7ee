"""Keeps one model for the process and only sets its count back: whoever makes a second one changes the first."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("instances-independent",)


MODELS = []


class Counted(nnx.Module):
    def __init__(self):
        self.calls = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1
        return x * self.calls.value


def make(rngs):
    if not MODELS:
        MODELS.append(Counted())
    MODELS[0].calls.value = jnp.zeros(())
    return MODELS[0]


subject = {"make": make, "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(4, 3)]}
