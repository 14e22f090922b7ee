"""Goes on by recursion, as in a language that has no loops, and Python has not room for 1,000 of them."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("many-calls",)


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

    def go(state, out, left):
        return go(*step(state, x), left - 1) if left else (state, out)

    state, out = go(state, x, int(n_calls))
    return jnp.array([nnx.merge(graphdef, state).count.value, out.sum()])
