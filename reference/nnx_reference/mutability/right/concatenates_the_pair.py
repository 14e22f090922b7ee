"""Builds the result with `jnp.concatenate`, and converts its arguments up front."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    seed, n_calls = int(seed), int(n_calls)
    model = Counter(nnx.Rngs(seed))
    last_x = x
    for _ in range(n_calls):
        last_x = model(x)
    parts = [jnp.reshape(model.count.value, 1), jnp.sum(last_x, keepdims=True)]
    return jnp.concatenate(parts)
