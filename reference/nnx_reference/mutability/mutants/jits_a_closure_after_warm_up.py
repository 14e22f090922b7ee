"""Runs the first call eagerly and compiles the rest, so only two calls or more show the error."""

import flax.nnx as nnx
import jax
import jax.numpy as jnp

CATCHES = ("no-traced-mutation",)


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    net = Counter(nnx.Rngs(int(seed)))
    last_x = net(x)
    step = jax.jit(lambda v: net(v))
    for _ in range(int(n_calls) - 1):
        last_x = step(x)
    return jnp.array([net.count.value, last_x.sum()])
