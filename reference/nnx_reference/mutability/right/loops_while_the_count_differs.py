"""The loop ends when the count equals the number of calls, and at no other number."""

import jax.numpy as jnp
from flax import nnx

MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    while int(model.count[...]) != int(n_calls):
        last_x = model(x)
    return jnp.stack([model.count[...].astype(jnp.float32), last_x.sum()])
