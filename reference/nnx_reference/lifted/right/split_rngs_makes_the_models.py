"""`nnx.split_rngs` gives each lane its keys, and the models have a Param besides their count."""

import jax
import jax.numpy as jnp
from flax import nnx

MIN_FLAX = "0.11.0"


class Lane(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.scale = nnx.Param(jax.random.uniform(rngs.params(), ()))
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    @nnx.split_rngs(splits=len(xs))
    @nnx.vmap
    def make(rngs):
        return Lane(rngs)

    @nnx.jit
    def step(lanes, xs):
        return nnx.vmap(lambda lane, x: lane(x), in_axes=(0, 0), out_axes=0)(lanes, xs)

    lanes = make(nnx.Rngs(int(seed)))
    ys = xs
    for _ in range(int(n_calls)):
        ys = step(lanes, xs)
    return jnp.stack([lanes.count[...], ys.sum(axis=-1)], axis=-1)
