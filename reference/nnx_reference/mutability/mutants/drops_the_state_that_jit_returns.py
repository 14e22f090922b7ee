"""Merges inside `jax.jit` and returns only the output, so each new count is thrown away."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("no-traced-mutation",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    module = Counter(nnx.Rngs(int(seed)))
    graphdef, state = nnx.split(module)
    step = jax.jit(lambda state, x: nnx.merge(graphdef, state)(x))
    output = x
    for _ in range(int(n_calls)):
        output = step(state, x)
    return jnp.array([module.count.value, output.sum()])
