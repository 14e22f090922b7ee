"""Splits the model before every step; equal graph definitions are equal to the compiler."""

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@partial(jax.jit, static_argnames="graphdef")
def step(state, x, *, graphdef):
    model = nnx.merge(graphdef, state)
    return model(x), nnx.state(model)


def functional_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        graphdef, state = nnx.split(model)
        out, state = step(state, x, graphdef=graphdef)
        nnx.update(model, state)
    return jnp.array([model.count.value, out.sum()])
