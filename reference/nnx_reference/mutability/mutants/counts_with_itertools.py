"""An `itertools.count` attribute does the counting; the Variable stays at zero."""

import itertools

import flax.nnx as nnx
import jax.numpy as jnp

CATCHES = ("counts-in-variable",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.ticker = itertools.count(1)
        self.latest = 0
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.latest = next(self.ticker)
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(int(n_calls)):
        output = model(x)
    return jnp.array([float(model.latest), output.sum()])
