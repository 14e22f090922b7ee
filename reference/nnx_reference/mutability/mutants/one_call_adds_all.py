"""Calls the module once and lets that call add `n_calls` at a stroke."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-increment-per-call",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + float(self.times)
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    counter.times = int(n_calls)
    last_x = counter(x)
    return jnp.array([counter.count.value, last_x.sum()])
