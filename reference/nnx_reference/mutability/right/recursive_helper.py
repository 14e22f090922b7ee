"""Recurses instead of looping, so Python's recursion limit bounds the count."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access", "many-calls")


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def call_times(model, x, n, last):
    if n == 0:
        return last
    return call_times(model, x, n - 1, model(x))


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = call_times(model, x, int(n_calls), x)
    return jnp.array([model.count.value, last_x.sum()])
