"""Keeps its mask for the process: where `nnx.jit` asks for it first, what is kept is a tracer, and plain calls fail."""

import functools

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("no-hidden-state",)


@functools.cache
def causal(length):
    return jnp.tril(jnp.ones((length, length)))


class Mix(nnx.Module):
    def __init__(self):
        self.calls = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1
        return causal(len(x)) @ x


subject = {"make": lambda rngs: Mix(), "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)]}
