"""The scan carries the models and hands out nothing; the sums are taken from `xs`, beside it."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-output",)
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
        nnx.vmap(lambda model, x: model(x))(models, xs)
        return models, None

    if int(n_calls) > 0:
        models, _ = run(models, xs)
    return jnp.stack([models.count.value, jnp.sum(xs, axis=1)], axis=1)
