"""The Variable is there, and the class that holds it is no `nnx.Module`."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("counts-in-variable",)


class Counter:
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    model = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(n):
        output = model(x)
    return jnp.array([model.count.value, output.sum()])
