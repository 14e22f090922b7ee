"""The state that goes into a step is donated: its buffers are used for what comes out."""

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


def functional_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    graphdef, state = nnx.split(model)

    @partial(jax.jit, donate_argnums=0)
    def step(state, x):
        inner = nnx.merge(graphdef, state)
        out = inner(x)
        return nnx.state(inner), out

    state = jax.tree_util.tree_map(jnp.copy, state)
    out = x
    for _ in range(int(n_calls)):
        state, out = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, out.sum()])
