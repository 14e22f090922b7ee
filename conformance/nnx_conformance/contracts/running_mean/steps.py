"""Checks of the steps: that each starts where the one before it ended, and updates the mean once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from nnx_conformance.contracts import blame
from nnx_conformance.contracts.reading import WRAPPER
from nnx_conformance.contracts.running_mean.likeness import like
from nnx_conformance.contracts.running_mean.oracle import running
from nnx_conformance.contracts.running_mean.reading import (
    CALL_ONCE,
    STEPPED,
    THREADED,
    UPDATE,
    WITH_LEAF,
    MeanReading,
    Moment,
)
from nnx_conformance.contracts.wording import numbers_text
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, same_numbers
from nnx_conformance.core.contract import MUST, Blocked, Judgement, Unmet, Unseen, Violation, check
from nnx_conformance.core.facts import Call

#: How to pass state from step to step, for frameworks to which the check's own remedy does not apply.
THREAD = {
    "nnx": "Go on with the model that the step before it left: carry it (`nnx.Carry` in `nnx.scan`), and do not "
    "broadcast it or start from a clone of the first one.",
    "torch": "Go on with the state that the step before it left: keep the module, or load all of its `state_dict`.",
}
#: How to let a call change the state; for Linen, the check's own remedy says it.
CHANGE = {
    "nnx": "Update in `__call__`, once a step: `self.mean.value = ...`.",
    "torch": "Update the buffer in `forward`, once a step: `self.mean.copy_(...)` under `torch.no_grad()`.",
}
BY_FORMULA = "Let each call make it `momentum * mean + (1 - momentum) * batch.mean(0)`, once, in float32."
REVERSED = "momentum is the wrong way round: PyTorch's `momentum` is one minus this one"
KEPT = "the state comes from something else, such as an earlier run"


def _handed_on(case: Case, reading: MeanReading) -> Iterator[Claim]:
    """The claims that each step starts with the state that the step before it left."""
    for (_, ended), (begins, _) in pairwise(reading.leaf.moments):
        if ended is not None and begins is not None:
            yield same_numbers(begins, ended)


@check(
    id=THREADED,
    level=MUST,
    requirement="Each step starts from the state that the step before it left.",
    remedy='Thread it: `_, updated = model.apply(variables, batch, mutable=["batch_stats"])`, then `variables = '
    "{**variables, **updated}`.",
    wrong='_, updated = model.apply(variables, batch, mutable=["batch_stats"])  # and variables stays as it was',
    right='_, updated = model.apply(variables, batch, mutable=["batch_stats"])\nvariables = {**variables, **updated}',
    needs=STEPPED,
    claims=_handed_on,
)
def state_threaded(_: Case, reading: MeanReading) -> Judgement:
    slot, moments = reading.leaf.slot, reading.leaf.moments
    for number, (earlier, later) in enumerate(pairwise(moments), start=1):
        ended, begins = earlier[1], later[0]
        if ended is None or begins is None or same_numbers(begins, ended).holds():
            continue
        if all(map(_unchanged, moments)):
            return Blocked(UPDATE)
        expected, observed = numbers_text(ended), numbers_text(begins)
        what = f"step {number} left `{slot.path}` at {expected}, step {number + 1} starts at {observed}"
        cause = "the step starts from an older state, and not from what the last step returned"
        line, remedy = reading.steps[number].line, THREAD.get(reading.framework, "")
        return Violation(what, expected, observed, line=line, cause=cause, remedy=remedy)
    return None


def _once_a_step(reading: MeanReading) -> Unmet:
    """Need: the module was called once a step, or the result is wrong."""
    right = reading.result is not None and reading.means.near(reading.result)
    if len(reading.steps) == reading.requested_calls or not right:
        return None
    return Unseen("the module was not called once a step, and the mean is right", CALL_ONCE)


def _updates(case: Case, reading: MeanReading) -> Iterator[Claim]:
    """The claims that the module is called once a step, and that each call updates the mean by the formula."""
    yield same_numbers(len(reading.steps), reading.requested_calls)
    for step, (before, after) in enumerate(reading.leaf.moments[: reading.requested_calls]):
        start = _start(reading, before)
        if after is None:
            yield Claim(("nothing",), ("the mean",))
        elif start is not None and start.size != reading.features:
            yield same_numbers(start.size, reading.features)
        else:
            yield running(case["batches"][step : step + 1], reading.momentum, start).near(after)


@check(
    id=UPDATE,
    level=MUST,
    requirement="The module is called once a step, and each call takes the mean from m to "
    "`momentum * m + (1 - momentum) * batch.mean(0)`.",
    remedy='Update in the call, once; in Linen pass `mutable=["batch_stats"]`, or nothing that it writes is kept.',
    wrong="model.apply(variables, batch)  # nothing may change",
    right='model.apply(variables, batch, mutable=["batch_stats"])',
    needs=(*WITH_LEAF, _once_a_step),
    claims=_updates,
)
def one_update_per_step(_: Case, reading: MeanReading) -> Judgement:
    count, requested = len(reading.steps), reading.requested_calls
    if count != requested:
        line = blame.loop(reading.clear, reading.steps[-1]) if count else None
        what = f"the module was called {count} times for {requested} steps"
        return Violation(what, f"{requested} calls", f"{count} calls", line=line)
    for step, moment in enumerate(reading.leaf.moments):
        if moment[1] is None:
            return Blocked(WRAPPER)
        if violation := _wrong_update(reading, step, moment[0], moment[1]):
            return violation
    return None


def _wrong_update(reading: MeanReading, step: int, before: np.ndarray | None, after: np.ndarray) -> Violation | None:
    """The violation of a step that does not update the mean by the formula; None if it does."""
    batch, momentum, call = reading.case["batches"][step : step + 1], reading.momentum, reading.steps[step]
    start = _start(reading, before)
    if start is not None and start.size != reading.features:
        what = f"step {step + 1} starts from {numbers_text(before)}, and the batch has {reading.features} features"
        return Violation(what, f"shape {[reading.features]}", f"shape {[start.size]}", line=call.line, cause=KEPT)
    means = running(batch, momentum, start)
    if means.near(after).holds():
        return None
    if _unchanged((before, after)):
        cause, remedy = _why_unchanged(reading.framework, call, momentum)
    else:
        cause, remedy = _like(batch, momentum, start, after, means.bounds[-1]), BY_FORMULA
    what = f"step {step + 1} took the mean from {numbers_text(before)} to {numbers_text(after)}"
    expected, observed = numbers_text(means.values[-1]), numbers_text(after)
    return Violation(what, expected, observed, line=call.line, cause=cause, remedy=remedy)


def _start(reading: MeanReading, before: np.ndarray | None) -> np.ndarray | None:
    """The mean that a step starts from, in float64; a single number, or zeros, is broadcast to all features."""
    start = None if before is None else before.astype(np.float64).ravel()
    return np.resize(start, reading.features) if start is not None and (start.size == 1 or not start.any()) else start


def _unchanged(moment: Moment) -> bool:
    """Whether a step did not change the mean."""
    before, after = moment
    return before is not None and after is not None and np.array_equal(before, after, equal_nan=True)


def _why_unchanged(framework: str, call: Call, momentum: float) -> tuple[str, str]:
    """The cause of a step that does not change the mean, and the remedy."""
    if framework == "linen" and not call.mutable:
        return "`apply` was called without `mutable=`, so what the module writes is dropped", ""
    unchanged = "the call does not change the state"
    return (unchanged, CHANGE.get(framework, "")) if momentum else (f"{unchanged}, or {REVERSED}", BY_FORMULA)


def _like(batch: np.ndarray, momentum: float, start: np.ndarray | None, after: np.ndarray, bound: np.ndarray) -> str:
    """The cause of a wrong update."""
    if running(batch, 1 - momentum, start).near(after).holds():
        return REVERSED
    if start is not None and start.any():
        return "the update is another one"
    return like(batch, momentum, after.astype(np.float64).ravel(), bound)
