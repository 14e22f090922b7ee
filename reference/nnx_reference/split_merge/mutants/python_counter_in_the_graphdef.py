"""The module also keeps a Python int, which is part of the graph definition: no two steps have the same."""

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("no-retrace",)
MIN_FLAX = "0.10.0"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.calls = 0
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@partial(jax.jit, static_argnums=0)
def step(graphdef, state, x):
    model = nnx.merge(graphdef, state)
    out = model(x)
    return nnx.state(model), out


def functional_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        model.calls += 1
        state, last_x = step(nnx.graphdef(model), nnx.state(model), x)
        nnx.update(model, state)
    return jnp.array([model.count.value, last_x.sum()])
