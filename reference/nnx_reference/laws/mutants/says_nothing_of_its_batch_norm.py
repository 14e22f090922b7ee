"""Normalises by its batch in training, and its subject declares no eval mode."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("eval-declared",)


class Block(nnx.Module):
    def __init__(self, rngs):
        self.norm = nnx.BatchNorm(3, rngs=rngs)

    def __call__(self, x):
        return jnp.tanh(self.norm(x))


subject = {
    "make": Block,
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
}
