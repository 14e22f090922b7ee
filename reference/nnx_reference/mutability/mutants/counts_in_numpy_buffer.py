"""Counts in place in a NumPy array outside the module."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

CATCHES = ("counts-in-variable",)

_buffer = np.zeros(1)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        _buffer[0] += 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    _buffer[:] = 0.0
    n = int(n_calls)
    net = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(n):
        last_x = net(x)
    return jnp.array([_buffer[0], last_x.sum()])
