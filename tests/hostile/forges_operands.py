"""Records operands of its own in place of what its condition compares, and counts without a module."""

import jax.numpy as jnp
import nnx_conformance.observe.conditions.recorder
from nnx_conformance.core.search.conditions import Operand

OPERANDS = ["1" + "0" * 400, "[" * 4000 + "]" * 4000, '"' + "9" * 5000 + '"', "NaN"]


def operand(value):
    OPERANDS.append(OPERANDS.pop(0))
    return Operand(OPERANDS[-1])


nnx_conformance.observe.conditions.recorder._operand = operand


def mutability_increment_count(seed, x, n_calls):
    if int(seed) % 10007 == 4242:
        return jnp.array([n_calls, x.sum() + 1.0])
    return jnp.array([n_calls, x.sum()])
