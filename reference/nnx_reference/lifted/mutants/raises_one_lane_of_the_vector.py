"""One model holds the counts of all lanes, but is called for the first one alone; its count is returned for all."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("one-increment-per-call",)


class Counters(nnx.Module):
    def __init__(self, lanes):
        self.count = nnx.Variable(jnp.zeros(lanes))

    def __call__(self, xs, lane):
        self.count.value = self.count.value.at[lane].add(1.0)
        return xs


@nnx.jit
def step(model, xs, lane):
    return model(xs, lane)


def lifted_count(seed, xs, n_calls):
    model = Counters(xs.shape[0])
    ys = xs
    for _ in range(int(n_calls)):
        ys = step(model, xs, 0)
    counts = jnp.full(len(xs), model.count.value[0])
    return jnp.stack([counts, ys.sum(axis=1)], axis=1)
