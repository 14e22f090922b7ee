"""Its `__repr__` formats an array of several numbers as one."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("represents",)


class Rates(nnx.Module):
    def __init__(self):
        self.rates = nnx.Variable(jnp.full((3,), 0.5))

    def __call__(self, x):
        return x * self.rates.value

    def __repr__(self):
        return f"Rates({self.rates.value:.0%})"


subject = {
    "make": lambda rngs: Rates(),
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
}
