"""The check by intervention: whether each lane's sum in the result comes from its own last output."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnx_conformance.contracts.lifted.interventions import (
    Response,
    all_lanes_changed,
    applied,
    follows_in,
    lane_astray,
    rises_in,
    unread,
)
from nnx_conformance.contracts.lifted.reading import HIDDEN, LIFTED, SUM, VISIBLE, LanesReading, a_result
from nnx_conformance.contracts.reading import IN_VARIABLE
from nnx_conformance.contracts.sums import expected_sum, rounding
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import near, same_numbers
from nnx_conformance.core.contract import MUST, Blocked, Judgement, Unmet, Violation, check, unmet
from nnx_conformance.core.facts import Intervention
from nnx_conformance.core.plan import AMOUNT, OUTPUTS, SHIFTS, Changed


def _an_output_shift(reading: LanesReading) -> Unmet:
    """Need: the kit could change what the last calls returned."""
    if applied(reading, Changed.OUTPUT):
        return None
    hidden = reading.out_of_sight(HIDDEN) if reading.run.modules else Blocked(IN_VARIABLE)
    return unmet(VISIBLE, reading) or hidden


@check(
    id="result-reads-output",
    level=MUST,
    requirement="`result[:, 1]` comes from what the last calls returned, or from what the models keep: when we change"
    " both, it changes too.",
    remedy="Keep the output of the last call, `ys = step(models, xs)`, and return `ys.sum(axis=1)`.",
    wrong="step(models, xs)\nsums = xs.sum(axis=1)",
    right="ys = step(models, xs)\nsums = ys.sum(axis=1)",
    probes=(SHIFTS, OUTPUTS),
    needs=(a_result, _an_output_shift),
    claims=lambda _, reading: [response.claim for response in _sum_responses(reading)],
)
def result_reads_output(_: Case, reading: LanesReading) -> Judgement:
    return next(response for response in _sum_responses(reading) if not response.claim.holds()).violation()


def _sum_responses(reading: LanesReading) -> Iterator[Response]:
    """How `result[:, 1]` reacted: it must follow the last outputs, and each lane its own."""
    shift = applied(reading, Changed.OUTPUT)[0]
    follows = follows_in(reading, shift, 1)
    yield Response(same_numbers(follows, True), lambda: _sums_unread(reading, shift))
    if follows and (response := _sums_under(reading, shift)):
        yield response


def _sums_unread(reading: LanesReading, shift: Intervention) -> Violation:
    """The violation of sums that stayed the same."""
    by = f"by {shift.amount}, and what the models keep by as much or more"
    what = f"the kit raised what the last calls returned {by}; result[:, 1] stayed the same"
    cause = "the candidate computes result[:, 1] from something other than the last calls' outputs, such as xs itself"
    return unread(reading, 1, what, cause, SUM, LIFTED)


def _sums_under(reading: LanesReading, shift: Intervention) -> Response | None:
    """How each lane followed the change of its own output; None if the rise cannot be known.

    If models keep more than a count, a sum may come from there; then each lane must change, by any amount.
    """
    rose = rises_in(reading, shift, 1)
    if rose is None or not all_lanes_changed(reading):
        return None
    xs, unit = reading.case["xs"], rounding(shift.outcome.result) + rounding(None)
    before = [expected_sum(lane) for lane in xs]
    if not all(
        near(result, lane.value, lane.bound).holds() for result, lane in zip(reading.result[:, 1], before, strict=True)
    ):
        return None
    after = [expected_sum(lane + np.asarray(AMOUNT * reading.requested_calls, lane.dtype)) for lane in xs]
    bounds = np.array([a.bound + b.bound + unit * abs(a.value) for a, b in zip(before, after, strict=True)])
    added = float(shift.amount * xs.shape[1])
    if np.any(bounds >= added / 2):
        return None
    kept = {slot.path for layout in reading.count.run.layouts for slot in layout if slot.counts}
    if len(kept) > 1:
        astray = np.abs(rose) <= bounds
        claim = same_numbers(astray, False)
    else:
        right = np.where(
            np.abs(rose - added * reading.requested_calls) <= bounds, added * reading.requested_calls, added
        )
        astray = np.abs(rose - right) > bounds
        claim = near(rose, right, bounds)
    return Response(claim, lambda: _sum_astray(reading, added, rose, astray))


def _sum_astray(reading: LanesReading, added: float, rose: np.ndarray, astray: np.ndarray) -> Violation:
    """The violation of lanes whose sum does not follow their own output."""
    lane, expected = int(np.flatnonzero(astray)[0]), np.full(reading.lanes, added)
    change = f"raised what the last call returned for lane {lane} by {added:g} in sum"
    rose = np.where(astray, rose, expected)
    return lane_astray(reading, change, lane, 1, expected, rose, "a sum of xs, or of another lane")
