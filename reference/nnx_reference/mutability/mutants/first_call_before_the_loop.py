"""Makes the first call before the loop to have an output, so zero calls count one."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("zero-calls",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    module = Counter(nnx.Rngs(int(seed)))
    y = module(x)
    for _ in range(int(n_calls) - 1):
        y = module(x)
    return jnp.array([module.count.value, y.sum()])
