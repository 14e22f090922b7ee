"""Counts in int32, and lets the result be float32."""

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0))

    def __call__(self, x):
        self.count.value = self.count.value + 1
        return x


def functional_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    graphdef, state = nnx.split(model)

    @jax.jit
    def step(state, x):
        inner = nnx.merge(graphdef, state)
        out = inner(x)
        return nnx.state(inner), out

    out = x
    for _ in range(int(n_calls)):
        state, out = step(state, x)
    count = nnx.merge(graphdef, state).count.value
    return jnp.array([count.astype(jnp.float32), out.sum()])
