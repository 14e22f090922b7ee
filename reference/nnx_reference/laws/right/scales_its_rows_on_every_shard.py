"""Scales each row by a step that all shards count alike, under a mesh and in a context of its own."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Ramp(nnx.Module):
    def __init__(self, size, rngs):
        self.dense = nnx.Linear(size, size, rngs=rngs)
        self.step = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.step.value = self.step.value + 1
        return self.dense(x) * jnp.minimum(self.step.value, 10) / 10


subject = {
    "make": lambda rngs: Ramp(4, rngs),
    "inputs": [np.linspace(-1, 2, 16, dtype=np.float32).reshape(4, 4)],
    "mesh": {"data": 2},
    "context": lambda: jax.default_matmul_precision("float32"),
}
