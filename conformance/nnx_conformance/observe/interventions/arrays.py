"""The intervention on arrays: what is no parameter is changed after the last call of each module."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from nnx_conformance.core.facts import Intervention, Run, Snapshot
from nnx_conformance.core.plan import AMOUNT, Changed, Moment
from nnx_conformance.core.timeline import groups
from nnx_conformance.observe.changes import (
    shift_state,
)
from nnx_conformance.observe.interventions.base import Base, differs, forgotten, ordinals_of
from nnx_conformance.observe.run import outcome
from nnx_conformance.observe.spies.classes import AfterCall


def on_arrays(base: Base) -> Iterator[Intervention]:
    """The one intervention: what is no parameter is changed after the last call of each module."""
    writing = [[call for call in calls if call.mutable] for calls in groups(base.run)]
    ordinals = ordinals_of(base.run, writing, -1)
    if not ordinals:
        yield _constructed(base)
        return
    applied: list[bool] = []

    def change(target: Any, output: Any) -> Any:
        applied.append(shift_state(target))
        return output

    changed = base.again(base.run, after_call=AfterCall(ordinals.__contains__, change))
    yield base.intervention(Changed.STATE, Moment.LAST_CALL, AMOUNT, applied, _within(base, change, changed))


def _within(base: Base, change: Callable[[Any, Any], Any], changed: Run) -> Run:
    """The run in which the state was changed; where nothing follows, after the last call that modules make of another:
    with one step, either may be the one that makes it.
    """
    classes = base.candidate.classes
    if differs(outcome(changed), outcome(base.run)) or base.request.calls not in classes.inner.values():
        return changed
    passing, classes.passing = classes.passing, classes.passing | classes.outer
    try:
        return base.again(base.run, after_call=AfterCall(base.request.calls.__eq__, change))
    finally:
        classes.passing = passing


def _constructed(base: Base) -> Intervention:
    """Where every call runs inside a trace, the state is changed when the module has been made.

    The plain run must follow. Where it does not, a run that shows more says why, beside the same without the change:
    other calls were made, or the state was set anew.
    """
    applied: list[bool] = []

    def after_construction(module: Any) -> None:
        applied.append(shift_state(module))

    changed = base.again(base.first, after_construction=after_construction)
    beside = base.untraced if base.untraced and not base.untraced.raised else base.first
    if beside.modules and not applied:  # what is compiled already makes no module
        with forgotten():
            changed = base.again(base.first, after_construction=after_construction)
    ended = functools.partial(base.intervention, Changed.STATE, Moment.CONSTRUCTION, AMOUNT, applied, changed)
    if differs(outcome(changed), outcome(base.first)):
        return ended(calls=len(beside.calls))
    clear = changed if beside is base.first else base.again(beside, after_construction=after_construction)
    return ended(calls=len(clear.calls), undone=_alike(_final_arrays(clear), _final_arrays(beside)))


def _final_arrays(of: Run) -> list[np.ndarray]:
    """What the Variables hold after the last call, or at the end if no call shows; no Params, no random streams."""
    after = of.calls[-1].after if of.calls else None
    ends = [module.end for module in of.modules if module.end and not module.end.traced]
    return (_arrays(of, [after]) if after else []) or _arrays(of, ends)


def _arrays(of: Run, snapshots: Sequence[Snapshot]) -> list[np.ndarray]:
    slots = [pair for each in snapshots for pair in zip(of.layouts[each.layout], each.arrays, strict=True)]
    return [of.arrays[position] for slot, position in slots if position >= 0 and slot.counts and not slot.param]


def _alike(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    """Whether there are arrays, and they are the same but for the rounding of a compiled computation."""
    if not some or [array.shape for array in some] != [array.shape for array in others]:
        return False
    pairs = zip(some, others, strict=True)
    return all(np.allclose(a.astype(float), b.astype(float), 1e-5, 1e-5, equal_nan=True) for a, b in pairs)
