"""Calls its Variable `steps` where the exercise says `count`."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-variable-named-count",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.steps = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.steps.value = self.steps.value + 1.0
        return x


def functional_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))

    @jax.jit
    def step(graphdef_and_state, x):
        inner = nnx.merge(*graphdef_and_state)
        out = inner(x)
        return nnx.split(inner), out

    carried, out = nnx.split(model), x
    for _ in range(int(n_calls)):
        carried, out = step(carried, x)
    return jnp.array([nnx.merge(*carried).steps.value, out.sum()])
