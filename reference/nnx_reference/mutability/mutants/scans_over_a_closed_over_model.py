"""Replaces the loop by `jax.lax.scan` whose body closes over the model."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("no-traced-mutation",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))

    def body(out, _):
        return counter(out), None

    last_x, _ = jax.lax.scan(body, x, None, length=int(n_calls))
    return jnp.array([counter.count[...], last_x.sum()])
