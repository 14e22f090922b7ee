"""The step is one of training: `nnx.value_and_grad` calls the model, and its value is the sum of the lane."""

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("other-dtypes",)
MIN_FLAX = "0.12.0"


class Lane(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.scale = nnx.Param(jnp.ones(()))
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1
        return x * self.scale[...]


@nnx.jit
@nnx.vmap
def train_step(lane, x):
    loss, _ = nnx.value_and_grad(lambda lane: lane(x).sum())(lane)
    return loss


def lifted_count(seed, xs, n_calls):
    lanes = nnx.vmap(lambda key: Lane(nnx.Rngs(key)))(jax.random.split(jax.random.key(int(seed)), len(xs)))
    sums = xs.sum(axis=1)
    for _ in range(int(n_calls)):
        sums = train_step(lanes, xs)
    return jnp.stack([lanes.count[...], sums], axis=1)
