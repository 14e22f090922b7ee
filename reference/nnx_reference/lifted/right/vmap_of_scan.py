"""Each lane makes its calls by `nnx.scan`, mapped over the lanes."""

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
    steps = int(n_calls)
    models = nnx.vmap(lambda key: Counter(nnx.Rngs(key)))(jax.random.split(jax.random.key(int(seed)), len(xs)))
    if steps == 0:
        return jnp.stack([models.count.value, xs.sum(axis=1)], axis=1)

    @nnx.vmap
    def run(model, x):
        def body(carried, _):
            model, _ = carried
            return (model, model(x))

        scanned = nnx.scan(body, in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)
        return scanned((model, x), jnp.arange(steps))[1]

    ys = run(models, xs)
    return jnp.stack([models.count.value, ys.sum(axis=1)], axis=1)
