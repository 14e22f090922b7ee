"""The check by intervention: whether each feature of the result is read from its own number in the state."""

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

#: So much of a mean, and of 1, is distinct in float32 after many steps, each of which rounds.
VISIBLE = 1e-4


def _a_shift(reading: MeanReading) -> Unmet:
    """Need: the kit could change the state."""
    return None if reading.shift else reading.unjudgeable or steps_visible(reading) or Blocked(UPDATE)


def _lasting(reading: MeanReading) -> Unmet:
    """Need: what we changed is not set anew, and still shows after these steps."""
    shift, result = reading.shift, reading.result
    assert shift is not None and result is not None
    if shift.undone:
        return Unseen("the candidate resets the state, which drops what the kit changed before")
    # Of the start, each step leaves `momentum` of it.
    left = shift.amount * reading.momentum**reading.asked
    if shift.moment is not Moment.CONSTRUCTION or left > VISIBLE * max(1.0, float(np.max(np.abs(result), initial=0.0))):
        return None
    return Unseen("the start, which the kit changed, no longer weighs after these steps")


def _moved(reading: MeanReading) -> bool:
    """Whether the result is another one after the change."""
    now = reading.as_mean(reading.shift.outcome.result) if reading.shift else None
    return now is None or reading.result is None or not np.array_equal(now, reading.result)


def _follows(_: Case, reading: MeanReading) -> Iterator[Claim]:
    """The claims that the result moves with the state, and each feature by as much as its own number."""
    shift, was = reading.shift, reading.result
    assert shift is not None and was is not None
    now = reading.as_mean(shift.outcome.result)
    yield same_numbers(_moved(reading), True)
    if now is not None and reading.means.near(was).holds():
        yield _features(reading, shift, was, now)[2]


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
    shift, was = reading.shift, reading.result
    assert shift is not None and was is not None
    line, because = blame.returned(reading.run), (THREADED, UPDATE)
    moment = shift.moment.replace("last call", "last step")
    if not _moved(reading):
        what = f"the kit raised the state by {shift.amount} and more {moment}; the result stayed the same"
        cause = "the candidate computes the result beside the module or in a copy of it, or drops the updates"
        result = numbers_text(was)
        return Violation(what, f"other than {result}", result, line=line, cause=cause, because=because)
    now = reading.as_mean(shift.outcome.result)
    if now is None:
        return None
    wanted, follows = _features(reading, shift, was, now)[:2]
    at = int(np.flatnonzero(~follows)[0])
    rose, should = now[at] - was[at], wanted[at] - was[at]
    what = f"{'raised' if should > 0 else 'lowered'} feature {at} of the state by {abs(should):g} {moment}"
    also = also_astray("feature", np.flatnonzero(~follows)[1:6].tolist())
    what = f"the kit {what}, and each other by another number; result[{at}] {rise(rose)}{also}"
    cause = "the candidate computes this feature beside the state, or from other features of it"
    return Violation(what, f"{wanted[at]:.7g}", f"{now[at]:.7g}", line=line, cause=cause, because=because)


def _features(
    reading: MeanReading, shift: Intervention, was: np.ndarray, now: np.ndarray
) -> tuple[np.ndarray, np.ndarray, Claim]:
    """What the result should be after the change, which features are so, and the claim that all of them are.

    The mean may be a row or column of an array, or many Variables, so several sequences of amounts are right.
    """
    batches, momentum, steps = reading.case["batches"], reading.momentum, reading.asked
    constructed = shift.moment is Moment.CONSTRUCTION
    in_series = reading.nearest is not None and "*" in reading.nearest.slot.path
    # A module that each step makes anew was changed in each of them, and carries that on.
    shares = [1.0, sum(momentum**step for step in range(steps))] if len(groups(reading.clear)) > 1 else [1.0]
    best: tuple[np.ndarray, np.ndarray, Claim] | None = None
    for amounts in amounts_in_turn(reading.features, single=constructed):
        for share in shares:
            if constructed:
                means = running(batches, momentum, amounts * share)
                wanted, bound = means.values[-1], means.bounds[-1] + reading.means.bounds[-1]
            else:
                wanted = was + amounts * share
                unit = rounding(reading.run.result) + rounding(None)
                bound = 2 * unit * (np.abs(was) + np.abs(now) + np.abs(amounts * share))
                bound += 2 * reading.means.bounds[-1] if share != 1 else 0.0
            claims = [near(now, wanted, bound)]
            if in_series:  # Variables of a single number each, changed in the order of their names
                claims.append(near(np.sort(now - was), np.sort(wanted - was), bound.max()))
            follows = np.abs(now - wanted) <= bound
            if right := next((claim for claim in claims if claim.holds()), None):
                return wanted, follows, right
            if best is None or 2 * follows.sum() > max(follows.size, 2 * best[1].sum()):
                best = wanted, follows, claims[0]
    assert best is not None  # there are amounts for any number of features
    return best
