"""Compiles the step, but leaves `jax.disable_jit` in force from a debugging session."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("runs-in-jax-jit",)


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
        out = inner(x)
        return nnx.state(inner), out

    last_x = x
    with jax.disable_jit():
        for _ in range(int(n_calls)):
            state, last_x = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, last_x.sum()])
