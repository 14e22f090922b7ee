"""`nnx.scan` goes over the lanes, one model after the other, and each makes all its calls at once."""

import jax
import jax.numpy as jnp
from flax import nnx

MIN_FLAX = "0.11.0"


class Lane(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1
        return x


def lifted_count(seed, xs, n_calls):
    keys = jax.random.split(jax.random.key(int(seed)), len(xs))
    lanes = nnx.vmap(lambda key: Lane(nnx.Rngs(key)))(keys)

    @nnx.jit
    @nnx.scan(in_axes=(nnx.Carry, 0, 0), out_axes=(nnx.Carry, 0))
    def go_over(number, lane, x):
        y = x
        for _ in range(int(n_calls)):
            y = lane(x)
        return number + 1, y.sum()

    _, sums = go_over(jnp.array(0), lanes, xs)
    return jnp.stack([lanes.count[...], sums], axis=1)
