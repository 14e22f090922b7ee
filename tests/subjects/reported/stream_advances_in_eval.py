"""Right, or advice: in eval mode nothing is dropped and outputs repeat; only the count of a stream moves."""

import numpy as np
from flax import nnx


class Forks(nnx.Module):
    def __init__(self, rngs):
        self.rngs = rngs
        self.drop = nnx.Dropout(0.5)

    def __call__(self, x):
        return self.drop(x, rngs=nnx.Rngs(dropout=self.rngs.dropout()))


X = np.linspace(-2, 3, 15, dtype=np.float32).reshape(5, 3)
subject = {"make": Forks, "inputs": [X, np.cos(X)], "traits": {"draws_randomness": True, "has_eval_mode": True}}
