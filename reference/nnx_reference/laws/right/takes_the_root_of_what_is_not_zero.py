"""The root in the branch that is not taken is that of one: its gradient is a number."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Length(nnx.Module):
    def __init__(self):
        self.scale = nnx.Param(jnp.ones((3,)))

    def __call__(self, x):
        square = ((self.scale.value * x) ** 2).sum(-1)
        return jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)

    def __repr__(self):
        return f"Length({self.scale.value.shape})"


subject = {
    "make": lambda rngs: Length(),
    "inputs": (np.array([[0.0, 0.0, 0.0], [1.0, -2.0, 2.0]], np.float32),),
}
