"""Replaces the loop by `jax.lax.fori_loop` over a model from outside."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("no-traced-mutation",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = jax.lax.fori_loop(0, int(n_calls), lambda _, out: model(out), x)
    return jnp.array([model.count.value, last_x.sum()])
