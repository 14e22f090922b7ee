"""Clips the count at ten, so it is right for short loops only."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("count-equals-calls", "one-increment-per-call")


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = jnp.minimum(self.count.value + 1.0, 10.0)
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    counter = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(n):
        last_x = counter(x)
    return jnp.array([counter.count.value, last_x.sum()])
