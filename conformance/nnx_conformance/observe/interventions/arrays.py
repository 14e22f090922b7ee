"""The intervention on arrays: it changes all state but parameters after the last call of each module."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from nnx_conformance.core.facts import Intervention, Run, Snapshot
from nnx_conformance.core.plan import AMOUNT, Changed, Moment
from nnx_conformance.core.timeline import groups
from nnx_conformance.observe.changes import shift_state
from nnx_conformance.observe.interventions.base import Base, differs, forgotten, ordinals_of
from nnx_conformance.observe.run import outcome
from nnx_conformance.observe.spies.classes import AfterCall


def on_arrays(base: Base) -> Iterator[Intervention]:
    """The intervention on the state after the last call of each module; after construction if all calls are traced."""
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
    yield base.intervention(Changed.STATE, Moment.LAST_CALL, AMOUNT, applied, _or_inner_change(base, change, changed))


def _or_inner_change(base: Base, change: Callable[[Any, Any], Any], changed: Run) -> Run:
    """The changed run; if its result did not follow, a run that changes the last call of an inner module instead.

    With a single step, we cannot tell whether the outer or the inner module is the one of the exercise.
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
    """The intervention after construction, for calls that all run inside traces.

    The plain run must follow it. If it does not, a run that shows more calls explains why: the candidate made other
    calls, or overwrote the state.
    """
    applied: list[bool] = []

    def after_construction(module: Any) -> None:
        applied.append(shift_state(module))

    changed = base.again(base.first, after_construction=after_construction)
    base_run = base.untraced if base.untraced and not base.untraced.raised else base.first
    if base_run.modules and not applied:  # compiled code makes no module
        with forgotten():
            changed = base.again(base.first, after_construction=after_construction)
    intervention = functools.partial(base.intervention, Changed.STATE, Moment.CONSTRUCTION, AMOUNT, applied, changed)
    if differs(outcome(changed), outcome(base.first)):
        return intervention(calls=len(base_run.calls))
    clear = changed if base_run is base.first else base.again(base_run, after_construction=after_construction)
    return intervention(calls=len(clear.calls), undone=_alike(_final_arrays(clear), _final_arrays(base_run)))


def _final_arrays(run: Run) -> list[np.ndarray]:
    """The arrays in the Variables after the last call, or at the end of the run; no Params, no random streams."""
    after = run.calls[-1].after if run.calls else None
    ends = [module.end for module in run.modules if module.end and not module.end.traced]
    return (_arrays(run, [after]) if after else []) or _arrays(run, ends)


def _arrays(run: Run, snapshots: Sequence[Snapshot]) -> list[np.ndarray]:
    slots = [pair for each in snapshots for pair in zip(run.layouts[each.layout], each.arrays, strict=True)]
    return [run.arrays[position] for slot, position in slots if position >= 0 and slot.counts and not slot.param]


def _alike(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    """Whether there are arrays, and they are equal up to the rounding of compiled code."""
    if not some or [array.shape for array in some] != [array.shape for array in others]:
        return False
    pairs = zip(some, others, strict=True)
    return all(np.allclose(a.astype(float), b.astype(float), 1e-5, 1e-5, equal_nan=True) for a, b in pairs)
