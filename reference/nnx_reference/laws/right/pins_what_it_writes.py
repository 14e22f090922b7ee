"""Overwrites a Variable that is placed over the axis `model`, and pins what it writes to the same place."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Peak(nnx.Module):
    def __init__(self, size):
        self.peak = nnx.Variable(jnp.zeros(size), sharding=("model",))

    def __call__(self, x):
        self.peak.value = jax.lax.with_sharding_constraint(x.max(0), jax.sharding.PartitionSpec("model"))
        return x - self.peak.value


subject = {
    "make": lambda rngs: Peak(4),
    "inputs": [np.linspace(-1, 2, 16, dtype=np.float32).reshape(4, 4)],
    "traits": {"per_shard_state": True},
    "mesh": {"data": 1, "model": 2},
}
