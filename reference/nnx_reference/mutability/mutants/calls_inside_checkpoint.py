"""Wraps the call in `jax.checkpoint` to save memory."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("no-traced-mutation",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    step = jax.checkpoint(lambda v: model(v))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = step(x)
    return jnp.array([model.count[...], last_x.sum()])
