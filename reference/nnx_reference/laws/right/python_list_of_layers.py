"""A Python list of layers with state, which Flax takes for a node until 0.12."""

import numpy as np
from flax import nnx

BELOW_FLAX = "0.12.0"


class Stack(nnx.Module):
    def __init__(self, rngs):
        self.layers = [nnx.Linear(3, 3, rngs=rngs), nnx.BatchNorm(3, rngs=rngs)]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


subject = {
    "make": lambda rngs: Stack(rngs),
    "inputs": (np.linspace(0, 1, 9, dtype=np.float32).reshape(3, 3) ** 2,),
    "traits": {"has_eval_mode": True},
}
