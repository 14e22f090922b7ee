"""Runs its block, which keeps statistics, under `nnx.remat`."""

import numpy as np
from flax import nnx

MIN_FLAX = "0.10.7"


class Block(nnx.Module):
    def __init__(self, rngs):
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.norm = nnx.BatchNorm(3, rngs=rngs)

    def __call__(self, x):
        return nnx.remat(lambda module, x: module.norm(module.dense(x)))(self, x)


subject = {
    "make": lambda rngs: Block(rngs),
    "inputs": (np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3) ** 2,),
    "traits": {"has_eval_mode": True},
}
