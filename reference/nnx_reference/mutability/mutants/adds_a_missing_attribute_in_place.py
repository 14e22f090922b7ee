"""Misspells an attribute in an augmented assignment."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("returns-pair",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))
        self.step_size = 1.0

    def __call__(self, x):
        self.count.value += self.step
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
