"""Counts every tenth call in bfloat16, in a branch: it stops at 256, after some thousands of calls."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("state-precision",)


class Tenths(nnx.Module):
    def __init__(self):
        self.calls = nnx.Variable(jnp.zeros((), jnp.int32))
        self.tenths = nnx.Variable(jnp.zeros((), jnp.bfloat16))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1
        due = self.calls.value % 10 == 0
        self.tenths.value = jax.lax.cond(due, lambda count: count + 1, lambda count: count, self.tenths.value)
        return x / (1 + self.tenths.value.astype(jnp.float32))


subject = {"make": lambda rngs: Tenths(), "inputs": [np.linspace(-1, 2, 12, dtype=np.float32).reshape(4, 3)]}
