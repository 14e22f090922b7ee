"""The step gives `x` a feature axis by `reshape(len(x), -1)`, which says nothing where `x` is empty."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("empty-x",)


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
        features = model(x).reshape(len(x), -1)
        return nnx.state(model), features

    features = x
    for _ in range(int(n_calls)):
        state, features = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, features.sum()])
