"""Inspects the state with `State.flat_state()`, deprecated in favour of `nnx.to_flat_state`."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("current-access",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    net = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = net(x)
    nnx.state(net).flat_state()
    return jnp.array([net.count[...], out.sum()])
