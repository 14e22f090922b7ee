"""The models count in a scan, and the second lane reports the number of calls that was asked for."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-state",)
MIN_FLAX = "0.10.0"


class Counter(nnx.Module):
    def __init__(self, key):
        nnx.Rngs(params=key).params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@nnx.vmap
def step(model, x):
    return model(x)


def lifted_count(seed, xs, n_calls):
    models = nnx.vmap(Counter)(jax.random.split(jax.random.key(int(seed)), len(xs)))

    def body(models, _):
        return models, step(models, xs)

    scan = nnx.scan(body, in_axes=(nnx.Carry, 0), out_axes=(nnx.Carry, 0))
    models, outputs = nnx.jit(scan)(models, jnp.arange(int(n_calls)))
    counts = models.count.value.at[1:2].set(float(n_calls))
    return jnp.stack([counts, outputs[-1].sum(axis=1)], axis=1)
