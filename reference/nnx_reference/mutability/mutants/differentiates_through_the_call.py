"""Takes value and gradient of a loss that calls the closed-over model."""

import flax.nnx as nnx
import jax
import jax.numpy as jnp

CATCHES = ("no-traced-mutation",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        _ = rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))

    def loss(v):
        out = model(v)
        return out.sum(), out

    last_x = x
    for _ in range(int(n_calls)):
        (_total, last_x), _grad = jax.value_and_grad(loss, has_aux=True)(x)
    return jnp.array([model.count[...], last_x.sum()])
