"""Its sign alternates by an iterator: each trace takes the next one, also that of a branch which is never taken."""

import itertools

import numpy as np
from flax import nnx

CATCHES = ("switch-agrees",)
MIN_FLAX = "0.10.7"


class Alternating(nnx.Module):
    def __init__(self, rngs, sign):
        self.dense = nnx.Linear(3, 3, rngs=rngs)
        self.sign = sign

    def __call__(self, x):
        return self.sign() * self.dense(x)


def alternating():
    signs = itertools.cycle((1.0, -1.0))
    return lambda: next(signs)


subject = {
    "make": lambda rngs: Alternating(rngs, alternating()),
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
}
