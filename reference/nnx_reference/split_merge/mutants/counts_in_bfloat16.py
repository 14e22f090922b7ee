"""Keeps the state small: the count is a bfloat16, where 256 + 1 is 256."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("many-calls",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros((), jnp.bfloat16))

    def __call__(self, x):
        self.count.value = self.count.value + 1
        return x


def functional_count(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))

    @jax.jit
    def step(state, x):
        model = nnx.merge(graphdef, state)
        out = model(x)
        return nnx.state(model), out

    out = x
    for _ in range(int(n_calls)):
        state, out = step(state, x)
    count = nnx.merge(graphdef, state).count.value
    return jnp.array([count, out.sum()], dtype=jnp.float32)
