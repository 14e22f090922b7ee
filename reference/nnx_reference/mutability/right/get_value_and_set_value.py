"""Uses the accessor methods of the newest Flax and nothing that it deprecates."""

import flax.nnx as nnx
import jax
import jax.numpy as jnp

MIN_FLAX = "0.12.1"


class Counter(nnx.Module):
    count: nnx.Variable[jax.Array]

    def __init__(self, rngs: nnx.Rngs) -> None:
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x: jax.Array) -> jax.Array:
        self.count.set_value(self.count.get_value() + 1.0)
        return x


def mutability_increment_count(seed: float, x: jax.Array, n_calls: float) -> jax.Array:
    counter = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = counter(x)
    return jnp.array([counter.count.get_value(), jnp.sum(last_x)])
