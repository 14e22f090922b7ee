"""Right, and just quick enough for each case; all cases together never end."""

import time

import jax.numpy as jnp


def mutability_increment_count(seed, x, n_calls):
    time.sleep(1)
    return jnp.array([n_calls, x.sum()])
