"""The step returns the state that it was given, which shares its Variables with the model from Flax 0.11 on."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("state-threaded",)
BELOW_FLAX = "0.11.0"


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
        out = nnx.merge(graphdef, state)(x)
        return state, out

    last_x = x
    for _ in range(int(n_calls)):
        state, last_x = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, last_x.sum()])
