"""Makes the counter an `nnx.Param`, which an optimiser then updates and decays."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("counter-not-param",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Param(jnp.array(0.0))

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
