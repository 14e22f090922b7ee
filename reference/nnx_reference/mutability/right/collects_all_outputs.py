"""Collects every output in a list and sums the last; with no call there is no last."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("zero-calls",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    outputs = [model(x) for _ in range(int(n_calls))]
    return jnp.array([model.count[...], outputs[-1].sum()])
