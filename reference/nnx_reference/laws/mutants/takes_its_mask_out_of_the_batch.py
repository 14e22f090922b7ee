"""Takes the mask out of the caller's batch with `pop`: the second call with that batch finds none."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("input-untouched",)


class Pooled(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(2, 2, rngs=rngs)

    def __call__(self, batch):
        mask = batch.pop("mask", None)
        y = self.dense(batch["x"])
        return y.sum(axis=0) if mask is None else jnp.where(mask[:, None], y, 0.0).sum(axis=0)


subject = {
    "make": lambda rngs: Pooled(rngs),
    "inputs": ({"x": np.ones((3, 2), np.float32), "mask": np.array([True, False, True])},),
}
