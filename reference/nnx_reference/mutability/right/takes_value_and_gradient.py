"""Calls the model in the loss of a gradient, and returns what it gave beside the loss."""

import flax.nnx as nnx
import jax.numpy as jnp

ADVICE = ("current-access", "other-dtypes")


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))

    def loss(model, x):
        out = model(x)
        return out.sum(), out

    last_x = x
    for _ in range(int(n_calls)):
        (_total, last_x), _gradient = nnx.value_and_grad(loss, argnums=1, has_aux=True)(model, x)
    return jnp.array([model.count.value, last_x.sum()])
