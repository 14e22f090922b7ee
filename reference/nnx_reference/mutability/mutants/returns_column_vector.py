"""Returns the two numbers as a column, shape (2, 1)."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("returns-pair",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    counter = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(n):
        out = counter(x)
    return jnp.array([[counter.count.value], [out.sum()]])
