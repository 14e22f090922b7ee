"""Constructs the model in a jitted function, so that construction is seen on the first call alone."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("key-consumed", "zero-calls")
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


@nnx.jit
def make(rngs):
    return Counter(rngs)


def mutability_increment_count(seed, x, n_calls):
    model = make(nnx.Rngs(int(seed)))
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count[...], last_x.sum()])
