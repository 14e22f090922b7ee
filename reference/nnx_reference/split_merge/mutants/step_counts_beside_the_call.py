"""The call returns its input and nothing else; it is the step that raises the count of the merged model."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-increment-per-call",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        return x


def functional_count(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))

    @jax.jit
    def step(state, x):
        model = nnx.merge(graphdef, state)
        y = model(x)
        model.count.value = model.count.value + 1.0
        return nnx.state(model), y

    y = x
    for _ in range(int(n_calls)):
        state, y = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, y.sum()])
