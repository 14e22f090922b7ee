"""Chooses with `jax.lax.cond` whether to call the model, which traces both branches."""

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


def mutability_increment_count(seed, x, n_calls):
    net = Counter(nnx.Rngs(int(seed)))
    out = x
    for i in range(int(n_calls)):
        out = jax.lax.cond(i >= 0, lambda v: net(v), lambda v: v, x)
    return jnp.array([net.count.value, out.sum()])
