"""How a call takes its arguments: which Python numbers are constants, and whether it takes NumPy arrays.

`GraphNorm(4)(x, batch, 2)` computes two rows. Its caller writes 2 inside the compiled function, so a transform never
gets it as an argument, where it would raise. We fix a number if the call does not compile without, and does with it.

A call that reads `state.at[0]` takes JAX arrays. That it raises at once for others loses nothing.
"""

from __future__ import annotations

import jax

from nnx_conformance.contracts.module_laws.execution.harness import Harness, Transforms
from nnx_conformance.contracts.module_laws.execution.pool import (
    CallArguments,
    FixedFloat,
    FixedInt,
    Pool,
    halved,
    is_state,
)
from nnx_conformance.contracts.module_laws.program.language import AS_NUMPY, INPUTS

FIXED = {int: FixedInt, float: FixedFloat}


def fitted(harness: Harness) -> Pool:
    """A subject's inputs as its calls take them; each call returns on JAX arrays."""
    inputs = [_with_constants(harness, given) for given in harness.pool.inputs]
    numpy = all(_returns(harness, AS_NUMPY + number) for number in range(harness.pool.declared))
    return Pool(tuple([*inputs, *halved(inputs)][:INPUTS]), harness.pool.declared, numpy)


def _with_constants(harness: Harness, given: CallArguments) -> CallArguments:
    leaves, structure = jax.tree.flatten(given, is_leaf=is_state)
    places = {at for at, leaf in enumerate(leaves) if type(leaf) in FIXED}

    def fixed(chosen: set[int]) -> CallArguments:
        parts = (FIXED[type(leaf)](leaf) if at in chosen else leaf for at, leaf in enumerate(leaves))
        return jax.tree.unflatten(structure, parts)  # type: ignore[no-any-return]

    if not places or _compiles(harness, given) or not _compiles(harness, fixed(places)):
        return given
    for place in sorted(places):
        if len(places) > 1 and _compiles(harness, fixed(places - {place})):
            places.discard(place)
    return fixed(places)


def _compiles(harness: Harness, given: CallArguments) -> bool:
    pool = Pool((given,), 1)
    module = harness.make(0)
    try:
        harness.invoke(module, *pool.arguments(0))  # a first call may make state
        Transforms(harness.subject).run("jit", module, pool.arguments(0))
    except Exception:  # noqa: BLE001 - a law reports it where it is the module's fault
        return False
    return True


def _returns(harness: Harness, number: int) -> bool:
    try:
        harness.call(harness.make(0), number)
    except Exception:  # noqa: BLE001 - as above
        return False
    return True
