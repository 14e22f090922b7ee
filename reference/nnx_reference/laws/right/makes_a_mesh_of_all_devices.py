"""Makes a mesh of all devices that it finds, and lets its output lie there: their number changes no result."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

ADVICE = ("current-access",)


class Spread(nnx.Module):
    def __init__(self, size):
        mesh = jax.sharding.Mesh(np.array(jax.devices()), ("rows",))
        self.rows = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("rows"))
        self.total = nnx.Variable(jnp.zeros(size))

    def __call__(self, x):
        self.total.value = self.total.value + x.sum(0)
        y = x + self.total.value
        return jax.lax.with_sharding_constraint(y, self.rows) if isinstance(y, jax.core.Tracer) else y


subject = {
    "make": lambda rngs: Spread(4),
    "inputs": [np.linspace(-1, 2, 16, dtype=np.float32).reshape(4, 4)],
}
