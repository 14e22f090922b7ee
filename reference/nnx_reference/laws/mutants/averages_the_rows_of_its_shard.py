"""Gathers the mean of the rows that it is given: under `nnx.shard_map` each device keeps that of its own ones."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("shard-map-agrees",)
MIN_FLAX = "0.10.5"


class Mean(nnx.Module):
    def __init__(self, size):
        self.mean = nnx.BatchStat(jnp.zeros(size))

    def __call__(self, x):
        self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean(0)
        return x - self.mean.value


subject = {
    "make": lambda rngs: Mean(4),
    "inputs": [np.linspace(-1, 2, 16, dtype=np.float32).reshape(4, 4)],
    "mesh": {"data": 2},
}
