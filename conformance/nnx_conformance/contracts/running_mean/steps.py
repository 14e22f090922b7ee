"""Checks of the steps: that each starts where the one before it ended, and updates the mean once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnx_conformance.case import Case
from nnx_conformance.contract import MUST, Blocked, Judgement, NotApplicable, Violation, check
from nnx_conformance.contracts.mutability import places
from nnx_conformance.contracts.running_mean.evidence import (
    HIDDEN,
    IN_STATE,
    NO_CALL,
    THREADED,
    UPDATE,
    WRAPPER,
    base,
    excuse,
    framework,
    kept,
    near,
    result,
    series,
    shown,
    steps_asked,
    wanted,
)
from nnx_conformance.contracts.running_mean.likeness import like
from nnx_conformance.contracts.running_mean.oracle import running
from nnx_conformance.observation import Call, Line, Observation

#: How state is handed from step to step, where it is not as the check's own remedy says.
THREAD = {
    "nnx": "Go on with the model that the step before it left: carry it (`nnx.Carry` in `nnx.scan`), and do not "
    "broadcast it or start from a clone of the first one.",
    "torch": "Go on with the state that the step before it left: keep the module, or load all of its `state_dict`.",
}
#: Where a call changes nothing; in Linen, the check's own remedy goes for it.
CHANGE = {
    "nnx": "Update in `__call__`, once a step: `self.mean.value = ...`.",
    "torch": "Update the buffer in `forward`, once a step: `self.mean.copy_(...)` under `torch.no_grad()`.",
}
BY_FORMULA = "Let each call make it `momentum * mean + (1 - momentum) * batch.mean(0)`, once, in float32."
REVERSED = "momentum is the wrong way round: PyTorch's `momentum` is one minus this one"
KEPT = "the state is kept from something else, such as a run before"


@check(
    id=THREADED,
    level=MUST,
    requirement="Each step starts from the state that the step before it left.",
    remedy='Thread it: `_, updated = model.apply(variables, batch, mutable=["batch_stats"])`, then `variables = '
    "{**variables, **updated}`.",
    wrong='_, updated = model.apply(variables, batch, mutable=["batch_stats"])  # and variables stays as it was',
    right='_, updated = model.apply(variables, batch, mutable=["batch_stats"])\nvariables = {**variables, **updated}',
)
def state_threaded(case: Case, seen: Observation) -> Judgement:
    found = kept(case, seen)
    if (excused := excuse(case, seen)) or found is None:
        return excused or Blocked(IN_STATE)
    if not found.calls:
        return NotApplicable(HIDDEN if seen.run.calls else NO_CALL)
    previous: np.ndarray | None = None
    moments = list(series(base(seen), found.calls, found.slot.path))
    for number, ((before, after), call) in enumerate(zip(moments, found.calls, strict=True), start=1):
        if previous is not None and before is not None and not np.array_equal(before, previous, equal_nan=True):
            if all(_still(moment) for moment in moments):
                return Blocked(UPDATE)
            return Violation(
                f"step {number - 1} left `{found.slot.path}` at {shown(previous)}, step {number} starts at "
                f"{shown(before)}",
                shown(previous),
                shown(before),
                line=call.line,
                cause="the step is given a state from before, and not what the last one returned",
                remedy=THREAD.get(framework(base(seen)), ""),
            )
        previous = after
    return None


@check(
    id=UPDATE,
    level=MUST,
    requirement="The module is called once a step, and each call takes the mean from m to "
    "`momentum * m + (1 - momentum) * batch.mean(0)`.",
    remedy='Update in the call, once; in Linen pass `mutable=["batch_stats"]`, or nothing that it writes is kept.',
    wrong="model.apply(variables, batch)  # nothing may change",
    right='model.apply(variables, batch, mutable=["batch_stats"])',
)
def one_update_per_step(case: Case, seen: Observation) -> Judgement:
    found = kept(case, seen)
    if (excused := excuse(case, seen)) or found is None:
        return excused or Blocked(IN_STATE)
    got, asked = result(case, seen), steps_asked(case)
    if len(found.calls) != asked:
        if got is not None and near(got, wanted(case)):
            return NotApplicable("the module was not called once a step, and the mean is right")
        count = len(found.calls)
        what = f"the module was called {count} times for {asked} steps"
        return Violation(what, f"{asked} calls", f"{count} calls", line=_loop(seen, found.calls))
    moments = series(base(seen), found.calls, found.slot.path)
    for step, ((before, after), call) in enumerate(zip(moments, found.calls, strict=True)):
        if after is None:
            return Blocked(WRAPPER)
        if violation := _moved(case, seen, step, (before, after), call):
            return violation
    return None


def _loop(seen: Observation, calls: Sequence[Call]) -> Line | None:
    return places.loop(base(seen), calls[-1]) if calls else None


def _moved(
    case: Case, seen: Observation, step: int, moment: tuple[np.ndarray | None, np.ndarray], call: Call
) -> Violation | None:
    """How a step moved the mean otherwise than by its formula; None if it did not."""
    before, after = moment
    batch, momentum = case["batches"][step : step + 1], float(case["momentum"])
    start = None if before is None else _fitted(before.astype(np.float64).ravel(), batch.shape[-1])
    if start is not None and start.size != batch.shape[-1]:
        what = f"step {step + 1} starts from {shown(before)}, and the batch has {batch.shape[-1]} features"
        return Violation(what, f"shape {[batch.shape[-1]]}", f"shape {list(start.shape)}", line=call.line, cause=KEPT)
    means = running(batch, momentum, start)
    if near(after, means):
        return None
    if _still(moment):
        cause, remedy = _idle(framework(base(seen)), call, momentum)
    else:
        cause, remedy = _like(batch, momentum, start, after, means.bounds[-1]), BY_FORMULA
    return Violation(
        f"step {step + 1} took the mean from {shown(before)} to {shown(after)}",
        shown(means.values[-1]),
        shown(after),
        line=call.line,
        cause=cause,
        remedy=remedy,
    )


def _fitted(start: np.ndarray, features: int) -> np.ndarray:
    """A start, fitted where it need not have the size of the batch: a single number, or zeros of any size."""
    if not start.any():
        return np.zeros(features)
    return np.repeat(start, features) if start.size == 1 else start


def _still(moment: tuple[np.ndarray | None, np.ndarray | None]) -> bool:
    """Whether a step left the mean as it was."""
    before, after = moment
    return before is not None and after is not None and np.array_equal(before, after, equal_nan=True)


def _idle(name: str, call: Call, momentum: float) -> tuple[str, str]:
    """Why a step left the mean as it was, and what mends it."""
    if name == "linen" and not call.mutable:
        return "`apply` was called without `mutable=`, so what the module writes is dropped", ""
    unchanged = "the call does not change the state"
    return (unchanged, CHANGE.get(name, "")) if momentum else (f"{unchanged}, or {REVERSED}", BY_FORMULA)


def _like(batch: np.ndarray, momentum: float, start: np.ndarray | None, after: np.ndarray, bound: np.ndarray) -> str:
    swapped = running(batch, 1 - momentum, start)
    if near(after, swapped):
        return REVERSED
    if start is not None and start.any():
        return "the update is another one"
    return like(batch, momentum, after.astype(np.float64).ravel(), bound)


CHECKS = (state_threaded, one_update_per_step)
