"""Takes and returns integers and booleans beside floats, and counts in them: they have no gradient."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Lookup(nnx.Module):
    def __init__(self, rngs):
        self.table = nnx.Embed(5, 3, rngs=rngs)
        self.used = nnx.Variable(jnp.zeros((5,), jnp.int32))

    def __call__(self, at, scale):
        self.used.value = self.used.value.at[at].add(1)
        return {"rows": self.table(at) * scale, "used": self.used.value, "often": self.used.value > 1}


subject = {"make": Lookup, "inputs": ((np.array([0, 2, 4], np.int32), np.float32(0.5)),)}
