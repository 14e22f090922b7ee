"""One model is called for each lane in turn, and its one count told for all."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("count-equals-calls",)


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
    rows = []
    for lane, x in enumerate(xs):
        y = x
        for _ in range(int(n_calls)):
            y = step(model, x)
        rows.append(jnp.stack([model.count.value, y.sum()]))
    return jnp.stack(rows)
