"""Writes `self.count.value += 1.0`, which runs well and which the exercise rules out."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("no-in-place-add",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value += 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    module = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = module(x)
    return jnp.array([module.count.value, last_x.sum()])
