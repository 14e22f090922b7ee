"""Writes `self.count += 1.0`, which Flax 0.10 and 0.11 carry out inside the Variable."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("no-in-place-add",)
BELOW_FLAX = "0.12"
MIN_FLAX = "0.10"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count += 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    net = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = net(x)
    return jnp.array([net.count[...], y.sum()])
