"""Swaps the Variable for its value when the count passes thirty, so short runs are right."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("wrapper-kept",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        if isinstance(self.count, nnx.Variable) and self.count.value < 30.0:
            self.count.value = self.count.value + 1.0
        else:
            self.count = jnp.asarray(self.count) + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([jnp.asarray(model.count), last_x.sum()])
