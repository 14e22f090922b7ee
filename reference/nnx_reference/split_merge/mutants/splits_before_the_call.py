"""The step splits the merged model before it calls it, so the state that it returns is one call behind."""

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

    @jax.jit
    def step(state, x):
        inner = nnx.merge(graphdef, state)
        new = jax.tree_util.tree_map(lambda leaf: leaf, nnx.state(inner))
        return new, inner(x)

    last_x = x
    for _ in range(int(n_calls)):
        state, last_x = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, last_x.sum()])
