"""Keeps two more Variables, a running total and the last input's sum, and has further methods."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access", "one-variable-named-count")


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))
        self.total = nnx.Variable(jnp.array(0.0))
        self.latest = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        self.latest.value = jnp.sum(x)
        self.total.value = self.total.value + self.latest.value
        return x

    def average(self):
        return self.total.value / jnp.maximum(self.count.value, 1.0)


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    model.average()
    return jnp.array([model.count.value, last_x.sum()])
