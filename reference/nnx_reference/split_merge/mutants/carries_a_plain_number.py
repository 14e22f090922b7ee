"""A plain array is carried through `jax.jit`, and there is no module."""

import jax
import jax.numpy as jnp

CATCHES = ("counts-in-variable",)


def functional_count(seed, x, n_calls):
    step = jax.jit(lambda count, x: (count + 1.0, x))
    count, last_x = jnp.array(0.0), x
    for _ in range(int(n_calls)):
        count, last_x = step(count, x)
    return jnp.array([count, last_x.sum()])
