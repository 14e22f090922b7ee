"""Keeps a compiled step for each length of `x`, which closes over the first `x` of that length, and its graph."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("fresh-state-per-run",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


STEPS = {}


def functional_count(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))

    @jax.jit
    def step(state):
        model = nnx.merge(graphdef, state)
        y = model(x)
        return nnx.state(model), y

    step = STEPS.setdefault(len(x), step)
    y = x
    for _ in range(int(n_calls)):
        state, y = step(state)
    return jnp.array([nnx.merge(graphdef, state).count.value, y.sum()])
