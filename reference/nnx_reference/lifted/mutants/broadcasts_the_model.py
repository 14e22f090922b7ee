"""One model is broadcast to all lanes, so they share one count."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-count-per-lane",)
MIN_FLAX = "0.10.0"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    step = nnx.vmap(lambda model, x: model(x), in_axes=(None, 0))
    ys = xs
    for _ in range(int(n_calls)):
        ys = step(model, xs)
    return jnp.stack([jnp.full(len(xs), model.count.value), ys.sum(axis=1)], axis=1)
