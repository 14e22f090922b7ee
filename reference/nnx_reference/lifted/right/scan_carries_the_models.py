"""`nnx.scan` makes the calls and carries the mapped models."""

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)
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

    @nnx.scan(in_axes=(nnx.Carry, None), out_axes=(nnx.Carry, 0), length=int(n_calls))
    def run(models, xs):
        return models, nnx.vmap(lambda model, x: model(x))(models, xs)

    if int(n_calls) == 0:
        return jnp.stack([models.count.value, xs.sum(axis=1)], axis=1)
    models, ys = run(models, xs)
    return jnp.stack([models.count.value, ys[-1].sum(axis=1)], axis=1)
