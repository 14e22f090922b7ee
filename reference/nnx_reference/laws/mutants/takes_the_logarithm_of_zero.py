"""Its entropy leaves out what is zero, and its gradient does not."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("gradients-agree",)


class Entropy(nnx.Module):
    def __init__(self):
        self.scale = nnx.Param(jnp.ones((3,)))

    def __call__(self, x):
        p = (self.scale.value * x) ** 2
        return -jnp.where(p > 0, p * jnp.log(p), 0.0).sum(-1)


subject = {
    "make": lambda rngs: Entropy(),
    "inputs": (np.array([[0.0, 0.0, 0.0], [1.0, -2.0, 2.0]], np.float32),),
}
