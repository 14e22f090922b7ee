"""Its `__str__` counts how often it was shown, in a Variable."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("represents",)


class Shy(nnx.Module):
    def __init__(self):
        self.shown = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        return 2 * x

    def __str__(self):
        self.shown.value = self.shown.value + 1
        return "Shy()"


subject = {
    "make": lambda rngs: Shy(),
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
}
