"""Each branch calls the model, and the sums are those of the given lanes."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("result-reads-output",)


class Counter(nnx.Module):
    def __init__(self, key):
        nnx.Rngs(params=key).params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@nnx.jit
@nnx.vmap
def step(model, x):
    return nnx.cond(x.sum() > 0, lambda model, x: model(x), lambda model, x: model(x), model, x)


def lifted_count(seed, xs, n_calls):
    models = nnx.vmap(Counter)(jax.random.split(jax.random.key(int(seed)), len(xs)))
    for _ in range(int(n_calls)):
        step(models, xs)
    return jnp.stack([models.count.value, xs.sum(axis=1)], axis=1)
