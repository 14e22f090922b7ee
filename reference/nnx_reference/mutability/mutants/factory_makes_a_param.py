"""Creates its state through a helper whose default type is Param."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("counter-not-param",)


def state(value, kind=nnx.Param):
    return kind(jnp.asarray(value))


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = state(0.0)

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    counter = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = counter(x)
    return jnp.array([counter.count.value, out.sum()])
