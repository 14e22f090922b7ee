"""Defines the module inside the function, so each run has a class of its own."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


def mutability_increment_count(seed, x, n_calls):
    class Counter(nnx.Module):
        def __init__(self, rngs):
            rngs.params()
            self.count = nnx.Variable(jnp.array(0.0))

        def __call__(self, x):
            self.count.value = self.count.value + 1.0
            return x

    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count.value, last_x.sum()])
