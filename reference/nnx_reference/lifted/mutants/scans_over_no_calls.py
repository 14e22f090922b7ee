"""Takes the last output of an `nnx.scan` over the calls: without a call there is none."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("zero-calls",)
MIN_FLAX = "0.10.0"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    models = nnx.vmap(lambda key: Counter(nnx.Rngs(key)))(jax.random.split(jax.random.key(int(seed)), len(xs)))

    @nnx.scan(in_axes=(nnx.Carry, 0), out_axes=(nnx.Carry, 0))
    def run(models, xs):
        return models, nnx.vmap(lambda model, x: model(x))(models, xs)

    models, ys = run(models, jnp.broadcast_to(xs, (int(n_calls), *xs.shape)))
    return jnp.stack([models.count.value, ys[-1].sum(axis=1)], axis=1)
