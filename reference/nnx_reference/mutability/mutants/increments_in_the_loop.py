"""The module is the identity; the loop raises the count beside each call."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-increment-per-call",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
        model.count.value = model.count.value + 1.0
    return jnp.array([model.count.value, last_x.sum()])
