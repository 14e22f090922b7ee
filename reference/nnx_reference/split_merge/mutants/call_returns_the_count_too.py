"""The call returns the new count beside its input, so that the step need not read the module."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("output-unchanged",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x, self.count.value


def functional_count(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))

    @jax.jit
    def step(state, x):
        model = nnx.merge(graphdef, state)
        y, _ = model(x)
        return nnx.state(model), y

    y = x
    for _ in range(int(n_calls)):
        state, y = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, y.sum()])
