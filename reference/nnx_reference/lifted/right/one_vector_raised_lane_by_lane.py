"""One model holds the counts of all lanes and is called for one lane after the other."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Counters(nnx.Module):
    def __init__(self, lanes):
        self.count = nnx.Variable(jnp.zeros(lanes))

    def __call__(self, x, lane):
        self.count.value = self.count.value.at[lane].add(1.0)
        return x


@nnx.jit
def step(model, x, lane):
    return model(x, lane)


def lifted_count(seed, xs, n_calls):
    model = Counters(xs.shape[0])
    outputs = list(xs)
    for lane, x in enumerate(xs):
        for _ in range(int(n_calls)):
            outputs[lane] = step(model, x, lane)
    return jnp.stack([model.count.value, jnp.stack(outputs).sum(axis=1)], axis=1)
