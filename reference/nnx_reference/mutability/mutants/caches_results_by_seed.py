"""Caches results by seed alone, so another x or count with a known seed gets the old answer."""

from flax import nnx
from jax import numpy as jnp

CATCHES = ("fresh-state-per-run",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


RESULTS = {}


def mutability_increment_count(seed, x, n_calls):
    if int(seed) not in RESULTS:
        net = Counter(nnx.Rngs(int(seed)))
        out = x
        for _ in range(int(n_calls)):
            out = net(x)
        RESULTS[int(seed)] = jnp.array([net.count.value, out.sum()])
    return RESULTS[int(seed)]
