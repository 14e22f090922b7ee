"""What is compiled is the sum at the end; the calls run in plain Python."""

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

    last_x = x
    for _ in range(int(n_calls)):
        inner = nnx.merge(graphdef, state)
        last_x = inner(x)
        state = nnx.state(inner)
    total = jax.jit(jnp.sum)(last_x)
    return jnp.array([nnx.merge(graphdef, state).count.value, total])
