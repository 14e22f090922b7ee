"""`nnx.StateAxes` maps the counts and broadcasts the Params; the mapped step is not compiled."""

import jax.numpy as jnp
from flax import nnx

MIN_FLAX = "0.11.0"


class Count(nnx.Variable):
    pass


class Lane(nnx.Module):
    def __init__(self, rngs):
        self.scale = nnx.Param(jnp.ones(()))
        self.count = Count(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1
        return x


def lifted_count(seed, xs, n_calls):
    axes = nnx.StateAxes({Count: 0, ...: None})
    lanes = nnx.vmap(lambda _: Lane(nnx.Rngs(int(seed))), out_axes=axes)(jnp.arange(len(xs)))
    step = nnx.vmap(lambda lane, x: lane(x).sum(), in_axes=(axes, 0))
    sums = xs.sum(axis=1)
    for _ in range(int(n_calls)):
        sums = step(lanes, xs)
    return jnp.stack([lanes.count[...], sums], axis=1)
