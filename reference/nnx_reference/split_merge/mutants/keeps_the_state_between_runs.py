"""The state is split at import and goes on from run to run."""

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


GRAPHDEF, STATE = nnx.split(Counter(nnx.Rngs(0)))


@jax.jit
def step(state, x):
    inner = nnx.merge(GRAPHDEF, state)
    out = inner(x)
    return nnx.state(inner), out


def functional_count(seed, x, n_calls):
    global STATE
    last_x = x
    for _ in range(int(n_calls)):
        STATE, last_x = step(STATE, x)
    return jnp.array([nnx.merge(GRAPHDEF, STATE).count.value, last_x.sum()])
