"""Maps plainly over a function that makes its model and calls it in `nnx.scan`."""

import jax
import jax.numpy as jnp
from flax import nnx

ADVICE = ("current-access",)
MIN_FLAX = "0.10.7"


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x


def lifted_count(seed, xs, n_calls):
    n = int(n_calls)

    def one(key, x):
        model = Counter(nnx.Rngs(key))

        @nnx.scan(in_axes=(nnx.Carry, None), out_axes=(nnx.Carry, 0), length=n)
        def step(model, x):
            return model, model(x)

        model, ys = step(model, x)
        return jnp.stack([model.count.value, ys[-1].sum()])

    if n == 0:
        return jnp.stack([jnp.zeros(len(xs)), xs.sum(1)], 1)
    return jax.vmap(one)(jax.random.split(jax.random.key(int(seed)), len(xs)), xs)
