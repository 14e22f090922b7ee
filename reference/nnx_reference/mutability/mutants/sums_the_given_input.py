"""Sums the `x` it was given and ignores what the model returned."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-output",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    for _ in range(int(n_calls)):
        model(x)
    return jnp.array([model.count.value, x.sum()])
