"""Folds the calls with `functools.reduce`, each call fed with the output of the one before."""

from functools import reduce

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = 1.0 + self.count.value
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = reduce(lambda out, _: model(out), range(int(n_calls)), x)
    return jnp.array([model.count.value, last_x.sum()])
