"""Folds the address of the object into the key, so that two layers given one key differ: so do two runs."""

import jax
import numpy as np
from flax import nnx

CATCHES = ("rng-reproducible",)


class Layer(nnx.Module):
    def __init__(self, rngs):
        key = jax.random.fold_in(rngs.params(), id(self) % 2**31)
        self.kernel = nnx.Param(jax.random.normal(key, (4, 4)))
        self.dropout = nnx.Dropout(0.25, rngs=rngs)

    def __call__(self, x):
        return self.dropout(x @ self.kernel.value)


subject = {
    "make": lambda rngs: Layer(rngs),
    "inputs": (np.ones((2, 4), np.float32),),
    "traits": {"draws_randomness": True, "has_eval_mode": True},
}
