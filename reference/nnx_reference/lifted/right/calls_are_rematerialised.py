"""Each call runs in `nnx.remat`, inside a compiled step at module level: what it writes can be seen from nowhere."""

import jax
import jax.numpy as jnp
from flax import nnx

MIN_FLAX = "0.12.0"


class Lane(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1
        return x


@nnx.remat
def call(lane, x):
    return lane(x)


step = nnx.jit(nnx.vmap(call))


def lifted_count(seed, xs, n_calls):
    lanes = nnx.vmap(lambda key: Lane(nnx.Rngs(key)))(jax.random.split(jax.random.key(int(seed)), len(xs)))
    ys = xs
    for _ in range(int(n_calls)):
        ys = step(lanes, xs)
    return jnp.stack([lanes.count[...], ys.sum(axis=1)], axis=1)
