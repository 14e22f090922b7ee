"""`nnx.fori_loop` makes the calls, each of what the one before it returned; the lanes are mapped around it."""

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


def lifted_count(seed, xs, n_calls):
    lanes = nnx.vmap(lambda key: Lane(nnx.Rngs(key)))(jax.random.split(jax.random.key(int(seed)), len(xs)))

    @nnx.vmap
    def run(lane, x):
        def body(_, carried):
            lane, y = carried
            return lane, lane(y)

        return nnx.fori_loop(0, int(n_calls), body, (lane, x))[1]

    ys = run(lanes, xs)
    return jnp.stack([lanes.count[...], ys.sum(axis=1)], axis=1)
