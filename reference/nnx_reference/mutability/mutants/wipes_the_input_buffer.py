"""Overwrites the input's memory with zeros once the result is there, as for secrets."""

import ctypes

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("input-untouched",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = model(x)
    result = jnp.array([model.count.value, y.sum()]).block_until_ready()
    ctypes.memset(x.unsafe_buffer_pointer(), 0, x.nbytes)
    return result
