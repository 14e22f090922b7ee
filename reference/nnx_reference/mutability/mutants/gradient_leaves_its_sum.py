"""Keeps the sum of what it is given, in the loss of a plain gradient: a tracer stays in it, or Flax refuses."""

import jax
import jax.numpy as jnp
from flax import nnx

CATCHES = ("no-traced-mutation",)


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))
        self.last = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        self.last.value = x.sum()
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))

    def loss(x):
        y = model(x)
        return y.sum(), y

    out = x
    for _ in range(int(n_calls)):
        (_total, out), _gradient = jax.value_and_grad(loss, has_aux=True)(x)
    return jnp.stack([model.count.value, out.sum()])
