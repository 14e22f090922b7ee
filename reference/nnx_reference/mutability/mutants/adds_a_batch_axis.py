"""Returns its input with a leading batch axis: same sum, other shape."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("output-unchanged",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x[None]


def mutability_increment_count(seed: float, x, n_calls: float):
    module = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = module(x)
    return jnp.array([module.count.value, last_x.sum()])
