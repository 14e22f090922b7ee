"""Normalises each shard by its own statistics, as one device would a small batch, and says so."""

import numpy as np
from flax import nnx


class Ghost(nnx.Module):
    def __init__(self, size, rngs):
        self.norm = nnx.BatchNorm(size, rngs=rngs)

    def __call__(self, x):
        return self.norm(x)


subject = {
    "make": lambda rngs: Ghost(4, rngs),
    "inputs": [np.linspace(-1, 2, 16, dtype=np.float32).reshape(4, 4)],
    "traits": {"has_eval_mode": True, "per_shard_state": True},
    "mesh": {"data": 2},
}
