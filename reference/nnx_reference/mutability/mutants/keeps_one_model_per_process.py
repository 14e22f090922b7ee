"""Builds the model once at import; the second run goes on counting where the first stopped."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("fresh-state-per-run",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


counter = Counter(nnx.Rngs(0))


def mutability_increment_count(seed, x, n_calls):
    output = x
    for _ in range(int(n_calls)):
        output = counter(x)
    return jnp.array([counter.count.value, output.sum()])
