"""One normalisation at two places of a block: it is called twice a call, and counts both."""

import numpy as np
from flax import nnx

ADVICE = ("tree-mode-ready",)


class Block(nnx.Module):
    def __init__(self, rngs):
        self.norm_in = nnx.BatchNorm(3, rngs=rngs)
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.norm_out = self.norm_in

    def __call__(self, x):
        return self.norm_out(self.dense(self.norm_in(x)))


subject = {
    "make": lambda rngs: Block(rngs),
    "inputs": (np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3) ** 2,),
    "traits": {"has_eval_mode": True},
}
