"""The graph definition is passed as a static argument of a step at module level."""

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


@partial(jax.jit, static_argnums=0)
def step(graphdef, state, x):
    model = nnx.merge(graphdef, state)
    out = model(x)
    _, state = nnx.split(model)
    return out, state


def functional_count(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))
    last_x = x
    for _ in range(int(n_calls)):
        last_x, state = step(graphdef, state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, last_x.sum()])
