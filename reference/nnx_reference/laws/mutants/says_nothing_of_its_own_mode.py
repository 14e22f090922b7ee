"""Leaves a penalty out where its own flag says so, which `eval()` sets; its subject declares no eval mode."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("eval-declared",)


class Penalised(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(3, 1, rngs=rngs)
        self.deterministic = False

    def __call__(self, x):
        y = self.dense(x)
        return y if self.deterministic else y + 0.1 * jnp.abs(y)


subject = {
    "make": Penalised,
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
}
