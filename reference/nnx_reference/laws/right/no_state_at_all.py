"""Neither Params nor other state."""

import jax.numpy as jnp
import numpy as np
from flax import nnx


class Softmax(nnx.Module):
    def __call__(self, x):
        z = jnp.exp(x - x.max(axis=-1, keepdims=True))
        return z / z.sum(axis=-1, keepdims=True)


subject = {"make": lambda rngs: Softmax(), "inputs": (np.arange(6, dtype=np.float32).reshape(2, 3),)}
