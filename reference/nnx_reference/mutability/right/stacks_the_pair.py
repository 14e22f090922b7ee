"""Builds the result with `jnp.stack` from two scalars."""

import jax.numpy as jnp
from flax import nnx

MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _unused_key = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0, dtype=jnp.float32))

    def __call__(self, inputs):
        self.count[...] = jnp.add(self.count[...], 1.0)
        return inputs


def mutability_increment_count(seed, x, n_calls):
    net = Counter(rngs=nnx.Rngs(int(seed)))
    out = x
    for _step in range(int(n_calls)):
        out = net(x)
    return jnp.stack([net.count[...], jnp.sum(out)])
