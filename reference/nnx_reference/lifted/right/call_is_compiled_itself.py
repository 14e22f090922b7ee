"""The module's own `__call__` is compiled, so that calling it looks like plain Python."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    @nnx.jit
    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    rows = []
    for lane in range(len(xs)):
        model = Counter(nnx.Rngs(int(seed) + lane))
        y = xs[lane]
        for _ in range(int(n_calls)):
            y = model(xs[lane])
        rows.append(jnp.array([model.count.value, y.sum()]))
    return jnp.stack(rows)
