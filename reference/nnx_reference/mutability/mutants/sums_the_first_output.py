"""Keeps the first output instead of the last."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-output",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    module = Counter(nnx.Rngs(int(seed)))
    outputs = [module(x) for _ in range(int(n_calls))]
    return jnp.array([module.count.value, outputs[0].sum()])
