"""Writes to the instance dictionary, past every `__setattr__`, and loses the wrapper there."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("wrapper-kept",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        vars(self)["count"] = self.count + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    module = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = module(x)
    return jnp.array([module.count, last_x.sum()])
