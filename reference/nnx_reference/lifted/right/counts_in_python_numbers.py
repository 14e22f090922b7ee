"""The Variable holds a Python number until the first compiled call."""

import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(0.0)

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


@nnx.jit
def step(model, x):
    return model(x)


def lifted_count(seed, xs, n_calls):
    rows = []
    for x in xs:
        model, y = Counter(nnx.Rngs(int(seed))), x
        for _ in range(int(n_calls)):
            y = step(model, x)
        rows.append(jnp.stack([jnp.float32(model.count.value), y.sum()]))
    return jnp.stack(rows)
