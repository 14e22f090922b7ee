"""The step returns the mean of its output, as a training step does of its loss."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("sum-preserved",)


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
        model = nnx.merge(graphdef, state)
        loss = model(x).mean()
        return nnx.state(model), loss

    loss = x.sum()
    for _ in range(int(n_calls)):
        state, loss = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, loss])
