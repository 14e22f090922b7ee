"""Adds with `jax.lax.add` in a helper function that is given the Variable."""

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


def increment(variable):
    variable.value = jax.lax.add(variable.value, jnp.ones_like(variable.value))


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        increment(self.count)
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
