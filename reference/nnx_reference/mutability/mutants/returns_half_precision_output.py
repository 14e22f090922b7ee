"""Returns its input as float16."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("output-unchanged",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x.astype(jnp.float16)


def mutability_increment_count(seed, x, n_calls):
    net = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = net(x)
    return jnp.array([net.count[...], last_x.sum()])
