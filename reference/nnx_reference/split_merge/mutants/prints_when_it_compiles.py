"""Prints a line when the step is traced, to see how often that is, and leaves it in."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("quiet",)


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
        print("tracing the step for", x.shape)
        model = nnx.merge(graphdef, state)
        out = model(x)
        return nnx.state(model), out

    out = x
    for _ in range(int(n_calls)):
        state, out = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, out.sum()])
