"""The model gets the state before each step, so that it never sees the last one."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("state-threaded",)


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
    state = jax.tree.map(jnp.array, state)

    @jax.jit
    def step(state, x):
        inner = nnx.merge(graphdef, state)
        out = inner(x)
        return nnx.state(inner), out

    last_x = x
    for _ in range(int(n_calls)):
        nnx.update(model, state)
        state, last_x = step(state, x)
    return jnp.array([model.count.value, last_x.sum()])
