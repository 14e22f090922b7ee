"""Divides by a length of zero in the branch that is not taken: its gradient is not a number all the same."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("gradients-agree",)


class Unit(nnx.Module):
    def __init__(self):
        self.scale = nnx.Param(jnp.ones((3,)))

    def __call__(self, x):
        y = self.scale.value * x
        total = jnp.abs(y).sum(-1, keepdims=True)
        return jnp.where(total > 0, y / total, y)


subject = {
    "make": lambda rngs: Unit(),
    "inputs": (np.array([[0.0, 0.0, 0.0], [1.0, -2.0, 2.0]], np.float32),),
}
