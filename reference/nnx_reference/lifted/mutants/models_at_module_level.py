"""The models outlive the call, and count on."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("fresh-state-per-run",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


MODELS = {}


def lifted_count(seed, xs, n_calls):
    step = nnx.jit(lambda model, x: model(x))
    rows = []
    for lane, x in enumerate(xs):
        model = MODELS.setdefault(lane, Counter(nnx.Rngs(lane)))
        y = x
        for _ in range(int(n_calls)):
            y = step(model, x)
        rows.append(jnp.stack([model.count.value, y.sum()]))
    return jnp.stack(rows)
