"""Says that its second moments lie split by rows, and pins what it writes to lie split by columns."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("sharding-stable",)


class Moments(nnx.Module):
    def __init__(self, size):
        self.moments = nnx.BatchStat(jnp.eye(size), sharding=("model", None))

    def __call__(self, x):
        new = 0.9 * self.moments.value + 0.1 * x.T @ x / len(x)
        self.moments.value = jax.lax.with_sharding_constraint(new, jax.sharding.PartitionSpec(None, "model"))
        return x @ self.moments.value


subject = {
    "make": lambda rngs: Moments(4),
    "inputs": [np.linspace(-1, 2, 16, dtype=np.float32).reshape(4, 4)],
    "mesh": {"data": 1, "model": 2},
}
