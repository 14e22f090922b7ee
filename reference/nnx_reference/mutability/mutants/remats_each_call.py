"""Runs each call under `nnx.remat`: right numbers, and traced where plain Python is asked for."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("eager-calls",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@nnx.remat
def step(module, x):
    return module(x)


def mutability_increment_count(seed, x, n_calls):
    module = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = step(module, x)
    return jnp.array([module.count.value, last_x.sum()])
