"""Calls its Variable `calls` where the exercise says `count`."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-variable-named-count",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.calls = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    net = Counter(nnx.Rngs(int(seed)))
    output = x
    for _ in range(int(n_calls)):
        output = net(x)
    return jnp.array([net.calls.value, output.sum()])
