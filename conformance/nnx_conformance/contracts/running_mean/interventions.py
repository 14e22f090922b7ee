"""The check by intervention: whether each feature of the result comes from its own number in the state."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnx_conformance.contracts import blame
from nnx_conformance.contracts.following import amounts_in_turn
from nnx_conformance.contracts.reading import unless
from nnx_conformance.contracts.running_mean.oracle import running
from nnx_conformance.contracts.running_mean.reading import THREADED, UPDATE, MeanReading, a_mean, steps_visible
from nnx_conformance.contracts.sums import rounding
from nnx_conformance.contracts.wording import also_astray, numbers_text, rise
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, near, same_numbers
from nnx_conformance.core.contract import MUST, Blocked, Judgement, Unmet, Unseen, Violation, check
from nnx_conformance.core.facts import Intervention
from nnx_conformance.core.plan import SHIFTS, Moment
from nnx_conformance.core.timeline import groups

#: The least change, relative to the mean or to 1, that float32 shows after many steps of rounding.
VISIBLE = 1e-4


def _a_shift(reading: MeanReading) -> Unmet:
    """Need: the kit could change the state."""
    return None if reading.shift else reading.unjudgeable or steps_visible(reading) or Blocked(UPDATE)


def _lasting(reading: MeanReading) -> Unmet:
    """Need: the candidate did not overwrite our change, and it still shows after these steps."""
    shift, result = reading.shift, reading.result
    assert shift is not None and result is not None
    if shift.undone:
        return Unseen("the candidate resets the state, which drops what the kit changed before")
    # Each step scales a change of the start by `momentum`.
    left = shift.amount * reading.momentum**reading.requested_calls
    if shift.moment is not Moment.CONSTRUCTION or left > VISIBLE * max(1.0, float(np.max(np.abs(result), initial=0.0))):
        return None
    return Unseen("the start, which the kit changed, no longer weighs after these steps")


def _moved(reading: MeanReading) -> bool:
    """Whether the intervention changed the result."""
    after = reading.as_mean(reading.shift.outcome.result) if reading.shift else None
    return after is None or reading.result is None or not np.array_equal(after, reading.result)


def _follows(_: Case, reading: MeanReading) -> Iterator[Claim]:
    """The claims that the result moves with the state, and each feature by as much as its own number."""
    shift, before = reading.shift, reading.result
    assert shift is not None and before is not None
    after = reading.as_mean(shift.outcome.result)
    yield same_numbers(_moved(reading), True)
    if after is not None and reading.means.near(before).holds():
        yield _features(reading, shift, before, after)[2]


@check(
    id="result-reads-state",
    level=MUST,
    requirement="The result comes from the state: when we change a feature's mean after the last step, that feature "
    "of the result changes by as much.",
    remedy="Return the mean that the module holds after the last step, not one computed beside it.",
    wrong="return mean_in_numpy(batches, momentum)",
    right="return model.mean.value",
    probes=(SHIFTS,),
    needs=(a_mean, _a_shift, unless(_moved, _lasting)),
    claims=_follows,
)
def result_reads_state(_: Case, reading: MeanReading) -> Judgement:
    shift, before = reading.shift, reading.result
    assert shift is not None and before is not None
    line, because = blame.returned(reading.run), (THREADED, UPDATE)
    moment = shift.moment.replace("last call", "last step")
    if not _moved(reading):
        what = f"the kit raised the state by {shift.amount} and more {moment}; the result stayed the same"
        cause = "the candidate computes the result beside the module or in a copy of it, or drops the updates"
        result = numbers_text(before)
        return Violation(what, f"other than {result}", result, line=line, cause=cause, because=because)
    after = reading.as_mean(shift.outcome.result)
    if after is None:
        return None
    expected, follows = _features(reading, shift, before, after)[:2]
    feature = int(np.flatnonzero(~follows)[0])
    rose, should = after[feature] - before[feature], expected[feature] - before[feature]
    what = f"{'raised' if should > 0 else 'lowered'} feature {feature} of the state by {abs(should):g} {moment}"
    also = also_astray("feature", np.flatnonzero(~follows)[1:6].tolist())
    what = f"the kit {what}, and each other by another number; result[{feature}] {rise(rose)}{also}"
    cause = "the candidate computes this feature beside the state, or from other features of it"
    texts = (f"{expected[feature]:.7g}", f"{after[feature]:.7g}")
    return Violation(what, *texts, line=line, cause=cause, because=because)


def _features(
    reading: MeanReading, shift: Intervention, before: np.ndarray, after: np.ndarray
) -> tuple[np.ndarray, np.ndarray, Claim]:
    """The expected result after the intervention, which features equal it, and the claim that all do.

    The mean may be a row or column of an array, or many Variables, so several sequences of amounts are right.
    """
    batches, momentum, steps = reading.case["batches"], reading.momentum, reading.requested_calls
    constructed = shift.moment is Moment.CONSTRUCTION
    in_series = reading.nearest is not None and "*" in reading.nearest.slot.path
    # If each step makes a new module, the kit changed the state in each step, and the changes add up.
    shares = [1.0, sum(momentum**step for step in range(steps))] if len(groups(reading.clear)) > 1 else [1.0]
    best: tuple[np.ndarray, np.ndarray, Claim] | None = None
    for amounts in amounts_in_turn(reading.features, single=constructed):
        for share in shares:
            if constructed:
                means = running(batches, momentum, amounts * share)
                expected, bound = means.values[-1], means.bounds[-1] + reading.means.bounds[-1]
            else:
                expected = before + amounts * share
                unit = rounding(reading.run.result) + rounding(None)
                bound = 2 * unit * (np.abs(before) + np.abs(after) + np.abs(amounts * share))
                bound += 2 * reading.means.bounds[-1] if share != 1 else 0.0
            claims = [near(after, expected, bound)]
            if in_series:  # Variables of a single number each, changed in the order of their names
                claims.append(near(np.sort(after - before), np.sort(expected - before), bound.max()))
            follows = np.abs(after - expected) <= bound
            if right := next((claim for claim in claims if claim.holds()), None):
                return expected, follows, right
            if best is None or 2 * follows.sum() > max(follows.size, 2 * best[1].sum()):
                best = expected, follows, claims[0]
    assert best is not None  # `amounts_in_turn` yields at least one sequence
    return best
