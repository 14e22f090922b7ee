"""Sums what the last step returned, and without a step nothing was."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("zero-calls",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def functional_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    graphdef, state = nnx.split(model)

    @jax.jit
    def step(state, x):
        inner = nnx.merge(graphdef, state)
        y = inner(x)
        return y, nnx.state(inner)

    for _ in range(int(n_calls)):
        y, state = step(state, x)
    nnx.update(model, state)
    return jnp.array([model.count.value, y.sum()])
