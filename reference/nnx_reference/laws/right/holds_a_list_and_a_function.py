"""Holds a list of sizes, which no hash takes, and functions of JAX and its file: still a pytree, still copied."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


def half(x):
    return 0.5 * x


class Held(nnx.Module):
    def __init__(self):
        self.sizes = [1, 2]
        self.before, self.after = half, jax.nn.relu
        self.total = nnx.Variable(jnp.zeros((3,)))

    def __call__(self, x):
        self.total.value = self.total.value + self.before(x).sum(0)
        return self.after(x - self.total.value) * self.sizes[1]


subject = {"make": lambda rngs: Held(), "inputs": [np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)]}
