"""`nnx.while_loop` goes on until the counts themselves say that it is enough."""

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)
MIN_FLAX = "0.10"


class Counter(nnx.Module):
    def __init__(self, key):
        nnx.Rngs(params=key).params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    models = nnx.vmap(Counter)(jax.random.split(jax.random.key(int(seed)), len(xs)))
    step = nnx.vmap(lambda model, x: model(x))

    def short(carry):
        return carry[0].count.value.min() < float(n_calls)

    def body(carry):
        models, ys = carry
        return models, step(models, ys)

    models, ys = nnx.while_loop(short, body, (models, xs))
    return jnp.stack([models.count.value, ys.sum(axis=1)], axis=1)
