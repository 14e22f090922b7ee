"""Takes a dict and a tuple, and changes neither."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Pooled(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)
        self.seen = nnx.Variable(jnp.zeros(()))

    def __call__(self, batch, weights):
        rest = {name: value for name, value in batch.items() if name != "mask"}
        self.seen[...] = self.seen[...] + batch["mask"].sum()
        first, second = weights
        return jnp.where(batch["mask"][:, None], self.dense(rest["x"]) * first, second)


batch = {"x": np.ones((3, 2), np.float32), "mask": np.array([True, False, True])}
weights = (np.float32(0.5), np.float32(2.0))
subject = {"make": lambda rngs: Pooled(rngs), "inputs": [(batch, weights)]}
