"""Keeps its mask for the process, by the length: as an array of NumPy, which is the same inside a trace and outside."""

import functools

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


@functools.cache
def causal(length):
    return np.tril(np.ones((length, length), np.float32))


class Mix(nnx.Module):
    def __init__(self):
        self.calls = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1
        return causal(len(x)) @ x


subject = {"make": lambda rngs: Mix(), "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)]}
