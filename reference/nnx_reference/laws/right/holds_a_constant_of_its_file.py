"""All instances hold one array of the file: none of them may give its memory up, and none has to."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)
FREQUENCIES = jnp.array([1.0, 0.5, 0.25])
KEY = jax.random.key(7)


class Waves(nnx.Module):
    def __init__(self):
        self.frequencies = nnx.Variable(FREQUENCIES)
        self.key = nnx.Variable(KEY)
        self.calls = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1
        return jnp.sin(x * self.frequencies.value)


subject = {"make": lambda rngs: Waves(), "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),)}
