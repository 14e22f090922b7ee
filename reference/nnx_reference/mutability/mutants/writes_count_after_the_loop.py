"""The calls leave the count alone; one write after the loop sets it to `n_calls`."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-increment-per-call",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = model(x)
    model.count.value = jnp.array(float(int(n_calls)))
    return jnp.array([model.count.value, y.sum()])
