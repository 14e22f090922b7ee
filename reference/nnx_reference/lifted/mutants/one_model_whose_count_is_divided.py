"""One model is called for each lane in turn, and its one count is divided by the number of lanes."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-count-per-lane",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    step = nnx.jit(lambda model, x: model(x))
    model = Counter(nnx.Rngs(int(seed)))
    ys = xs
    for _ in range(int(n_calls)):
        ys = jnp.stack([step(model, x) for x in xs])
    count = model.count.value / len(xs)
    return jnp.stack([jnp.full(len(xs), count), ys.sum(axis=1)], axis=1)
