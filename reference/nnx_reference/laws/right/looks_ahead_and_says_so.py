"""Takes a step ahead on a clone, whose statistics are dropped, and declares that."""

import numpy as np
from flax import nnx


class Ahead(nnx.Module):
    def __init__(self, rngs):
        self.norm = nnx.BatchNorm(3, rngs=rngs)

    def __call__(self, x):
        return nnx.clone(self.norm)(x)


subject = {
    "make": lambda rngs: Ahead(rngs),
    "inputs": (np.linspace(-2, 3, 15, dtype=np.float32).reshape(5, 3),),
    "traits": {"has_eval_mode": True, "discards_updates": True},
}
