"""Inside the step the attribute gets an array instead of its Variable."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("wrapper-kept",)
MIN_FLAX = "0.12.0"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count = self.count + 1.0
        return x


def functional_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    graphdef, state = nnx.split(model)

    @jax.jit
    def step(state, x):
        inner = nnx.merge(graphdef, state)
        out = inner(x)
        return nnx.state(inner), out

    last_x = x
    for _ in range(int(n_calls)):
        state, last_x = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count, last_x.sum()])
