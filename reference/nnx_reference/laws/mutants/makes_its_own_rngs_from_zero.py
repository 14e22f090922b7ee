"""`nnx.Rngs(0)` in `__init__`: the stream advances as it should, and whoever makes the model cannot seed it."""

import jax
import numpy as np
from flax import nnx

CATCHES = ("rng-reproducible",)


class Noise(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.rngs = nnx.Rngs(0)

    def __call__(self, x):
        return self.dense(x) + jax.random.normal(self.rngs.noise(), x.shape)


subject = {
    "make": lambda rngs: Noise(rngs),
    "inputs": (np.ones((2, 3), np.float32),),
    "traits": {"draws_randomness": True},
}
