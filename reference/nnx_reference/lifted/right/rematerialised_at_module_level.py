"""A step under `nnx.remat` for all runs: JAX keeps its trace from one to the next, with and without compilation."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


step = nnx.remat(lambda model, x: model(x))


def lifted_count(seed, xs, n_calls):
    rows = []
    for x in xs:
        model, y = Counter(nnx.Rngs(int(seed))), x
        for _ in range(int(n_calls)):
            y = step(model, x)
        rows.append(jnp.stack([model.count.value, y.sum()]))
    return jnp.stack(rows)
