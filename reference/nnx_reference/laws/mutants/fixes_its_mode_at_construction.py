"""Passes its dropout the mode that it had when it was made, so that `eval()` changes nothing and the stream goes on."""

import numpy as np
from flax import nnx

CATCHES = ("eval-frozen",)


class Head(nnx.Module):
    def __init__(self, rngs):
        self.dropout = nnx.Dropout(0.4, rngs=rngs)
        self.options = (("deterministic", False),)

    def __call__(self, x):
        return self.dropout(x, **dict(self.options))


subject = {
    "make": lambda rngs: Head(rngs),
    "inputs": (np.ones((4, 6), np.float32),),
    "traits": {"draws_randomness": True, "has_eval_mode": True},
}
