"""Makes the first step before the loop, to compile it, so there is always one."""

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
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))

    @jax.jit
    def step(state, x):
        model = nnx.merge(graphdef, state)
        out = model(x)
        return nnx.state(model), out

    state, last_x = step(state, x)
    for _ in range(1, int(n_calls)):
        state, last_x = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, last_x.sum()])
