"""Returns the two numbers under names, in a dict."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("returns-pair",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    m = Counter(nnx.Rngs(int(seed)))
    y = x
    for _ in range(int(n_calls)):
        y = m(x)
    return {"count": m.count[...], "sum": y.sum()}
