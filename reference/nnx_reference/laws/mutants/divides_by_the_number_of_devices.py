"""Divides by the number of devices, as under `jax.pmap`: a compiled call on a mesh sees the whole batch."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("sharded-agrees",)


class Meter(nnx.Module):
    def __init__(self, size):
        self.mean = nnx.BatchStat(jnp.zeros(size))

    def __call__(self, x):
        mean = x.sum(0) / (len(x) * jax.device_count())
        self.mean.value = 0.9 * self.mean.value + 0.1 * mean
        return x - self.mean.value


subject = {
    "make": lambda rngs: Meter(4),
    "inputs": [np.linspace(-1, 2, 16, dtype=np.float32).reshape(4, 4)],
}
