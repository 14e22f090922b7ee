"""Multiplies the output by 1.0001, a left-over of a numerical experiment."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("output-unchanged",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x * 1.0001


def mutability_increment_count(seed, x, n_calls):
    n = int(n_calls)
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(n):
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
