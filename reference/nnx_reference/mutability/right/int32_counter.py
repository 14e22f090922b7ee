"""Counts in an int32 Variable and turns it into a float only in the result."""

import jax.numpy as jnp
from flax import nnx

MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0, dtype=jnp.int32))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.asarray([model.count[...].astype(jnp.float32), last_x.sum()])
