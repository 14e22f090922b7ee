"""The compiled step returns only the output, so each new count is thrown away."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("state-threaded",)


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

    step = jax.jit(lambda state, x: nnx.merge(graphdef, state)(x))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = step(state, x)
    return jnp.array([model.count.value, last_x.sum()])
