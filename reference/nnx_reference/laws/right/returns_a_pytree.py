"""Returns a dict with a tuple, a scalar of another dtype and None."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Summary(nnx.Module):
    def __init__(self):
        self.count = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1
        return {"range": (x.min(), x.max()), "count": self.count[...], "mask": x > 0, "extra": None}


subject = {"make": lambda rngs: Summary(), "inputs": (np.array([-1.0, 2.0], np.float32),)}
