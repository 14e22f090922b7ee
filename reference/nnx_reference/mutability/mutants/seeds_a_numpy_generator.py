"""Seeds a NumPy generator beside the Rngs, which raises for negative seeds."""

import numpy as np
from flax import nnx
from jax import numpy as jnp

CATCHES = ("any-seed",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    np.random.default_rng(int(seed))
    net = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = net(x)
    return jnp.array([net.count[...], last_x.sum()])
