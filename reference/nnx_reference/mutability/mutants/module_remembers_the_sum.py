"""The module stores the sum of its input as a second Variable, and the result reads that."""

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("result-reads-output",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))
        self.total = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        self.total.value = jnp.sum(x)
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    for _ in range(int(n_calls)):
        x = model(x)
    return jnp.array([model.count.value, model.total.value])
