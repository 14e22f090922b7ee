"""Its slope jumps at zero, where some inputs are: there is no gradient that differences could agree with."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Kinked(nnx.Module):
    def __init__(self):
        self.bias = nnx.Param(jnp.zeros((3,)))

    def __call__(self, x):
        y = x + self.bias.value
        return jnp.where(y > 0, y, 0.0) + jnp.abs(y)


subject = {
    "make": lambda rngs: Kinked(),
    "inputs": (np.array([[0.0, 0.0, 0.0], [1.0, -2.0, 2.0]], np.float32),),
}
