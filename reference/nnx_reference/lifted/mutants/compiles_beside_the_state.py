"""Counts in plain Python; what is compiled in the call has nothing to do with the state."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("runs-lifted",)


@nnx.jit
def passed_on(x):
    return x


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return passed_on(x)


def lifted_count(seed, xs, n_calls):
    rows = []
    for x in xs:
        model, y = Counter(nnx.Rngs(int(seed))), x
        for _ in range(int(n_calls)):
            y = model(x)
        rows.append(jnp.array([model.count.value, y.sum()]))
    return jnp.stack(rows)
