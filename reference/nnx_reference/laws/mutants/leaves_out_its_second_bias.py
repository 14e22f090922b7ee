"""Its second layer has no bias, where its subject declares one."""

import numpy as np
from flax import nnx

CATCHES = ("inventory",)


class Two(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Linear(3, 4, rngs=rngs)
        self.second = nnx.Linear(4, 3, use_bias=False, rngs=rngs)

    def __call__(self, x):
        return self.second(self.first(x))


subject = {
    "make": Two,
    "inputs": (np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),),
    "variables": {"Param": 4},
}
