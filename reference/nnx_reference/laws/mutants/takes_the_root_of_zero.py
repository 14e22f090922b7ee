"""The length of a row of zeros is zero, and the gradient of its root is not a number."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("gradients-agree",)


class Length(nnx.Module):
    def __init__(self):
        self.scale = nnx.Param(jnp.ones((3,)))

    def __call__(self, x):
        square = ((self.scale.value * x) ** 2).sum(-1)
        return jnp.where(square > 0, jnp.sqrt(square), 0.0)


subject = {
    "make": lambda rngs: Length(),
    "inputs": (np.array([[0.0, 0.0, 0.0], [1.0, -2.0, 2.0]], np.float32),),
}
