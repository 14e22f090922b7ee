"""Wrong: a transform of a function that closes over the module; it raises TraceContextError at the first call."""

import numpy as np
from flax import nnx


class PerRow(nnx.Module):
    def __init__(self, rngs):
        self.norm = nnx.BatchNorm(3, rngs=rngs)

    def __call__(self, x):
        return nnx.vmap(lambda row: self.norm(row))(x)


X = np.linspace(-2, 3, 24, dtype=np.float32).reshape(4, 2, 3)
subject = {"make": PerRow, "inputs": [X, np.cos(X)], "traits": {"has_eval_mode": True}}
