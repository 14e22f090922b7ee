"""`__call__` returns nothing, and the sum is taken of the input."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("output-unchanged",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(n):
        model(x)
    return jnp.array([model.count.value, last_x.sum()])
