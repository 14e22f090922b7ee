"""Names the mesh axis of its rows in the call: it needs a mesh, and means the same on one device as on two."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Pinned(nnx.Module):
    def __init__(self, size, rngs):
        self.dense = nnx.Linear(size, size, rngs=rngs)
        self.mean = nnx.BatchStat(jnp.zeros(size))

    def __call__(self, x):
        x = jax.lax.with_sharding_constraint(x, jax.sharding.PartitionSpec("data"))
        self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean(0)
        return self.dense(x) - self.mean.value


subject = {
    "make": lambda rngs: Pinned(4, rngs),
    "inputs": [np.linspace(-1, 2, 16, dtype=np.float32).reshape(4, 4)],
    "traits": {"per_shard_state": True},
    "mesh": {"data": 2},
}
