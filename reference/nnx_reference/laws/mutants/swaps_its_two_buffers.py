"""Two buffers change places in each call: what a loop carries is each Variable where it was."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("loop-agrees", "vjp-agrees")
MIN_FLAX = "0.12.6"


class DoubleBuffered(nnx.Module):
    def __init__(self):
        self.front = nnx.Cache(jnp.zeros((3,)))
        self.back = nnx.Cache(jnp.ones((3,)))

    def __call__(self, x):
        self.back.value = 0.5 * self.front.value + x.mean(0)
        self.front, self.back = self.back, self.front
        return x - self.front.value


subject = {
    "make": lambda rngs: DoubleBuffered(),
    "inputs": (np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3),),
}
