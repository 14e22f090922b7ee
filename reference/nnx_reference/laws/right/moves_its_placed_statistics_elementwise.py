"""Places its statistics and its kernel over two axes of a mesh; what it computes of them stays where they lie."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Stats(nnx.Module):
    def __init__(self, size, rngs):
        init = nnx.with_partitioning(nnx.initializers.lecun_normal(), ("model", None))
        self.kernel = nnx.Param(init(rngs.params(), (size, 2 * size)))
        self.mean = nnx.BatchStat(jnp.zeros(size), sharding=("model",))

    def __call__(self, x):
        self.mean.value = 0.9 * self.mean.value + 0.1 * x.mean(0)
        return (x - self.mean.value) @ self.kernel.value


subject = {
    "make": lambda rngs: Stats(4, rngs),
    "inputs": [np.linspace(-1, 2, 16, dtype=np.float32).reshape(4, 4)],
    "traits": {"per_shard_state": True},
    "mesh": {"data": 1, "model": 2},
}
