"""Seeds every run with 0."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("key-consumed",)


class Counter(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def functional_count(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(rngs=nnx.Rngs(0)))

    def step(state, x):
        model = nnx.merge(graphdef, state)
        y = model(x)
        return nnx.state(model), y

    compiled, y = jax.jit(step), x
    for _ in range(int(n_calls)):
        state, y = compiled(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, y.sum()])
