"""Takes the norm of its kernel by NumPy when it is made: nobody can ask for its shapes without computing it."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("abstract-agrees",)


class Bounded(nnx.Module):
    def __init__(self, size, rngs):
        kernel = jax.random.normal(rngs.params(), (size, size))
        self.kernel = nnx.Param(kernel)
        self.norm = nnx.Variable(jnp.float32(np.linalg.norm(np.asarray(kernel))))

    def __call__(self, x):
        return x @ self.kernel.value / self.norm.value


subject = {
    "make": lambda rngs: Bounded(4, rngs),
    "inputs": [np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)],
}
