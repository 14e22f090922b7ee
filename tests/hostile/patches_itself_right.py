"""Not stopped: hands in a function that counts without a module, and lets the kit watch a right one in its place.

Whoever holds the right code can show it: what is judged is what runs while it is judged.
"""

import jax.numpy as jnp
import nnx_conformance.observe.run

before = nnx_conformance.observe.run._call


def call(candidate, record, given):
    candidate.function = twin
    return before(candidate, record, given)


nnx_conformance.observe.run._call = call


def mutability_increment_count(seed, x, n_calls):
    return jnp.array([n_calls, x.sum()])


# The right candidate follows, under another name.
