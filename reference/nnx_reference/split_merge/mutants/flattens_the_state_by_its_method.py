"""Reads the count from `State.flat_state()`, deprecated in favour of `nnx.to_flat_state`."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("current-access",)
MIN_FLAX = "0.12.1"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def functional_count(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))

    @jax.jit
    def step(state, x):
        model = nnx.merge(graphdef, state)
        y = model(x)
        return nnx.state(model), y

    y = x
    for _ in range(int(n_calls)):
        state, y = step(state, x)
    counts = [variable for path, variable in state.flat_state() if path == ("count",)]
    return jnp.array([counts[0][...], y.sum()])
