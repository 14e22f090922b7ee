"""Pins its cache to be whole on each device while it writes a row, and keeps what was gathered."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("sharding-stable",)


class Cache(nnx.Module):
    def __init__(self, length, size):
        self.rows = nnx.Cache(jnp.zeros((length, size)), sharding=(None, "model"))
        self.at = nnx.Cache(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        rows = jax.lax.with_sharding_constraint(self.rows.value, jax.sharding.PartitionSpec())
        self.rows.value = rows.at[self.at.value % len(rows)].set(x.mean(0))
        self.at.value = self.at.value + 1
        return x + self.rows.value.sum(0)


subject = {
    "make": lambda rngs: Cache(6, 4),
    "inputs": [np.linspace(-1, 2, 16, dtype=np.float32).reshape(4, 4)],
    "mesh": {"data": 1, "model": 2},
}
