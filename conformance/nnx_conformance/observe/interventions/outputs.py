"""The intervention on outputs: it changes the last calls' outputs, and their modules' state at that moment."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import jax

from nnx_conformance.core.facts import Intervention
from nnx_conformance.core.plan import AMOUNT, Changed, Moment
from nnx_conformance.core.timeline import groups
from nnx_conformance.observe.changes import (
    OwnAmounts,
    call_amount,
    numeric,
    shift_variables,
    shifted,
)
from nnx_conformance.observe.interventions.base import Base, forgotten
from nnx_conformance.observe.spies.classes import AfterCall

#: Transforms that cache nothing without compilation; others may cache code that the kit has changed.
FORGETFUL = frozenset({"nnx.jit", "nnx.vmap", "nnx.scan"})
#: Transforms that trace several branches and run one of them.
BRANCHES = frozenset({"nnx.cond", "nnx.switch", "jax.lax.cond", "jax.lax.switch"})


def on_outputs(base: Base) -> Iterator[Intervention]:
    """The intervention on the last calls' outputs and their modules' state; in its trace, if a call is traced.

    Inside a trace we can only tell the very last call apart, so that is the one we change. If it is in a branch, or
    runs from a cached trace, we change every call and clear JAX's caches afterwards, so that later runs do not reuse
    the changed code.
    """
    clear = base.showing
    keeps = any(call.compilation >= 0 or (call.traced and set(call.through) - FORGETFUL) for call in clear.calls)
    lasts = {id(calls[-1]) for calls in [*groups(clear), list(clear.calls)] if calls}
    every_call = keeps or any(name in BRANCHES for call in clear.calls for name in call.through)
    ordinals = frozenset(number for number, call in enumerate(clear.calls, start=1) if id(call) in lasts)
    if not ordinals:
        return
    applied: list[bool] = []
    amounts = OwnAmounts()

    def selects(number: int) -> bool:
        return every_call or number in ordinals

    def change(target: Any, output: Any) -> Any:
        add = functools.partial(amounts.add, call_amount(output))
        applied.append(shift_variables(target, add, params=True))
        return jax.tree_util.tree_map(shift, output)

    def shift(value: Any) -> Any:
        if not numeric(value):
            return value
        applied.append(True)
        return shifted(value)

    with forgotten() if keeps else nullcontext():
        changed = base.again(clear, after_call=AfterCall(selects, change), in_traces=True)
    apart = amounts.parts > 0 and amounts.whole
    yield base.intervention(Changed.OUTPUT, Moment.LAST_CALL, AMOUNT, applied, changed, apart=apart)
