"""Donates the input of the last call to `nnx.jit`, to save a copy."""

import functools

from flax import nnx
from jax import numpy as jnp

CATCHES = ("input-untouched",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@functools.partial(nnx.jit, donate_argnums=1)
def final_step(counter, x):
    return counter(x)


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(int(n_calls) - 1):
        output = counter(x)
    output = final_step(counter, x)
    return jnp.array([counter.count.value, output.sum()])
