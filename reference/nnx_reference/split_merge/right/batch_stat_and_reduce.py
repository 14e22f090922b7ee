"""The count is a `BatchStat`, and `functools.reduce` drives the steps."""

from functools import reduce

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.BatchStat(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def functional_count(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))

    @jax.jit
    def step(state, x):
        inner = nnx.merge(graphdef, state)
        return inner(x), nnx.state(inner)

    def again(carried, _):
        return step(carried[1], x)

    out, state = reduce(again, range(int(n_calls)), (x, state))
    return jnp.stack([nnx.merge(graphdef, state).count.value, out.sum()])
