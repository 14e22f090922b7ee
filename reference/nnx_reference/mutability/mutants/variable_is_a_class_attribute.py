"""Creates the Variable in the class body, so all instances share it."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("fresh-state-per-run",)


class Counter(nnx.Module):
    count = nnx.Variable(jnp.array(0.0))

    def __init__(self, rngs):
        _ = rngs.params()

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    module = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = module(x)
    return jnp.array([module.count.value, out.sum()])
