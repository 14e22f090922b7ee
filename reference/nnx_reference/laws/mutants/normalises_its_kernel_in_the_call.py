"""Weight normalisation that writes the normalised kernel back into the Param, without saying so."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("params-untouched",)
MIN_FLAX = "0.10.7"


class Normalised(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(3, 5, rngs=rngs)

    def __call__(self, x):
        kernel = self.dense.kernel[...]
        self.dense.kernel[...] = kernel / jnp.linalg.norm(kernel, axis=0) * 1.5
        return self.dense(x)


subject = {"make": lambda rngs: Normalised(rngs), "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),)}
