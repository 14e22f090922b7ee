"""Returns what the loss of a gradient has put into a list: a tracer that is of no use any more."""

import jax.numpy as jnp
from flax import nnx

CATCHES = ("returns-pair",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    kept = []

    def loss(model, x):
        y = model(x)
        kept.append(jnp.stack([model.count.value, y.sum()]))
        return y.sum()

    for _ in range(int(n_calls)):
        nnx.value_and_grad(loss, argnums=1)(model, x)
    return kept[-1]
