"""Donates the input to a compiled sum, which invalidates the caller's array."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("input-untouched",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


pass_through = jax.jit(lambda v: v + 0.0, donate_argnums=0)


def mutability_increment_count(seed: float, x, n_calls: float):
    net = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = net(x)
    last_x = pass_through(last_x)
    return jnp.array([net.count[...], last_x.sum()])
