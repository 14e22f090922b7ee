"""Interventions on the numbers that count: what the last call returns, and the Variables, at several moments."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from nnx_conformance.core.facts import Intervention
from nnx_conformance.core.plan import AMOUNT, FAR, Changed, Moment
from nnx_conformance.core.timeline import groups, main_calls
from nnx_conformance.observe.changes import (
    numeric,
    shift_elements,
    shift_numbers,
)
from nnx_conformance.observe.flax_versions import primal
from nnx_conformance.observe.interventions.base import Base, differs, forgotten, ordinals_of
from nnx_conformance.observe.run import outcome
from nnx_conformance.observe.spies.classes import AfterCall


class RanOn(BaseException):
    """Ends a run that goes on calling because of an intervention: its loop waits for a count that has been passed."""


def on_numbers(base: Base) -> Iterator[Intervention]:
    """What the last call returns is changed; and the numbers that count, at several moments.

    A candidate may call several modules; each of them is changed, for only the result shows which one is read.
    """
    if not main_calls(base.run):
        return
    lasts, firsts = ordinals_of(base.run, groups(base.run), -1), ordinals_of(base.run, groups(base.run), 0)
    applied: list[bool] = []
    changed = base.again(base.run, after_call=_output_changed(lasts, applied))
    yield base.intervention(Changed.OUTPUT, Moment.LAST_CALL, AMOUNT, applied, changed)
    if not base.paths:
        return
    at_end = functools.partial(_numbers_changed, base, Moment.LAST_CALL, lasts)
    raised, ran_on = at_end(AMOUNT, base.paths)
    yield raised
    yield at_end(-AMOUNT, base.paths)[0]
    # Without traces a candidate may behave otherwise, so the run as it is must follow, too. A compiled loop that waits
    # for a count that has been passed would never end.
    if base.hides and not ran_on:
        exact: list[bool] = []
        made = base.again(
            base.first, after_construction=lambda module: exact.extend(shift_numbers(module, base.paths, FAR))
        )
        constructed = functools.partial(base.intervention, Changed.STATE, Moment.CONSTRUCTION, FAR)
        yield constructed([bool(exact)], made, exact=all(exact))
        if exact and not differs(outcome(made), outcome(base.first)):
            yield _every_call(base)
    params = {slot.path for layout in base.run.layouts for slot in layout if slot.param}
    others = tuple(path for path in base.paths if path not in params)
    if others and len(others) < len(base.paths):
        yield _numbers_changed(base, Moment.LAST_CALL_BUT_PARAMS, lasts, AMOUNT, others)[0]
    if len(main_calls(base.run)) > 1:
        yield _numbers_changed(base, Moment.FIRST_CALL, firsts, FAR, base.paths)[0]


def _every_call(base: Base) -> Intervention:
    """The numbers are changed by every call, in its trace: a difference to the start follows what calls make alone."""
    exact: list[bool] = []

    def change(module: Any, output: Any) -> Any:
        exact.extend(shift_numbers(module, base.paths, AMOUNT, in_trace=True))
        return output

    with forgotten():
        made = base.again(base.first, after_call=AfterCall(lambda _: True, change), in_traces=True)
    return base.intervention(Changed.STATE, Moment.EVERY_CALL, AMOUNT, [bool(exact)], made, exact=all(exact))


def _output_changed(ordinals: frozenset[int], applied: list[bool]) -> AfterCall:
    def change(_: Any, output: Any) -> Any:
        if not numeric(primal(output)):
            return output
        applied.append(True)
        return shift_elements(output)

    return AfterCall(ordinals.__contains__, change)


def _numbers_changed(
    base: Base, moment: Moment, ordinals: frozenset[int], amount: int, paths: tuple[str, ...]
) -> tuple[Intervention, bool]:
    """The numbers at these paths are changed right after these calls; also whether the run went on calling."""
    exact: list[bool] = []
    ran_on: list[bool] = []
    most = 2 * len(base.run.calls) + 10

    def at(position: int) -> bool:
        if position > most:
            ran_on.append(True)
            raise RanOn(f"more than {most} calls")
        return position in ordinals

    def change(module: Any, output: Any) -> Any:
        exact.extend(shift_numbers(module, paths, amount, in_trace=base.run is base.reported))
        return output

    made = base.again(base.run, after_call=AfterCall(at, change))
    return base.intervention(Changed.STATE, moment, amount, [bool(exact)], made, exact=all(exact)), bool(ran_on)
