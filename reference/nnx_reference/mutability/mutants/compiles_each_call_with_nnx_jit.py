"""Compiles the step with `nnx.jit`: right numbers, and traced where plain Python is asked for."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("eager-calls",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    module = Counter(nnx.Rngs(int(seed)))
    step = nnx.jit(lambda m, v: m(v))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = step(module, x)
    return jnp.array([module.count[...], last_x.sum()])
