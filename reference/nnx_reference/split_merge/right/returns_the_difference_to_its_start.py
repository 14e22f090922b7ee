"""Reads the count from the states, as how far the last one is from the first."""

import flax.nnx as nnx
import jax
import jax.numpy as jnp

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def count_of(graphdef, state):
    return nnx.merge(graphdef, state).count.value


def functional_count(seed, x, n_calls):
    graphdef, begun = nnx.split(Counter(nnx.Rngs(int(seed))))

    @jax.jit
    def step(state, x):
        model = nnx.merge(graphdef, state)
        out = model(x)
        return nnx.state(model), out

    ended, out = begun, x
    for _ in range(int(n_calls)):
        ended, out = step(ended, x)
    return jnp.array([count_of(graphdef, ended) - count_of(graphdef, begun), out.sum()])
