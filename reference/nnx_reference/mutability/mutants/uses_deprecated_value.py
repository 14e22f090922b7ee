"""Uses `.value`, which Flax deprecates from 0.12.1 on."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("current-access",)
MIN_FLAX = "0.12.1"


class Counter(nnx.Module):
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
