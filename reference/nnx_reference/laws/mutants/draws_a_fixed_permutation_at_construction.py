"""Shuffles features by a permutation drawn when it is made and kept as a Python tuple: no checkpoint holds it."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("checkpoint-resumes",)


class Shuffle(nnx.Module):
    def __init__(self, features, rngs):
        order = jax.random.permutation(rngs.params(), features)
        self.order = tuple(int(place) for place in order)
        self.calls = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1.0
        return x[..., jnp.array(self.order)] * self.calls.value


subject = {"make": lambda rngs: Shuffle(16, rngs), "inputs": (np.arange(32, dtype=np.float32).reshape(2, 16),)}
