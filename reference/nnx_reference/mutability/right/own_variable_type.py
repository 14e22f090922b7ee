"""Counts in a Variable type of its own, so that filters can tell it from everything else."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Count(nnx.Variable):
    """Number of calls so far."""


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = Count(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
