"""Returns the pair of output and count from each call, and picks the output from it outside."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("output-unchanged",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x, self.count[...]


def mutability_increment_count(seed: float, x, n_calls: float):
    module = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _step in range(int(n_calls)):
        last_x, _count = module(x)
    return jnp.array([module.count[...], last_x.sum()])
