"""Compiles a function that closes over the model, which NNX refuses with TraceContextError."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("no-traced-mutation",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed: float, x, n_calls: float):
    n = int(n_calls)
    counter = Counter(nnx.Rngs(int(seed)))
    step = jax.jit(lambda x: counter(x))
    output = x
    for _ in range(n):
        output = step(x)
    return jnp.array([counter.count.value, output.sum()])
