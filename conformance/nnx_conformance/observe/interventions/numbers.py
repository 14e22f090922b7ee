"""Interventions on counts: on the last call's output, and on the counting Variables at several moments."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from nnx_conformance.core.facts import Intervention
from nnx_conformance.core.plan import AMOUNT, FAR, Changed, Moment
from nnx_conformance.core.timeline import groups, main_calls
from nnx_conformance.observe.changes import numeric, shift_elements, shift_numbers
from nnx_conformance.observe.flax_versions import primal
from nnx_conformance.observe.interventions.base import Base, differs, forgotten, ordinals_of
from nnx_conformance.observe.run import outcome
from nnx_conformance.observe.spies.classes import AfterCall


class RanOn(BaseException):
    """Ends a run whose loop does not end, because it waits for a count that an intervention has passed."""


def on_numbers(base: Base) -> Iterator[Intervention]:
    """The interventions on the last call's output, and on the counting Variables at several moments.

    If the candidate calls several modules, we change each, because only the result shows which one it reads.
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
    # A candidate may behave differently without traces, so the plain run must follow, too. But a compiled loop that
    # waits for a count that was passed would never end.
    if base.hides and not ran_on:
        exact: list[bool] = []
        changed = base.again(
            base.first, after_construction=lambda module: exact.extend(shift_numbers(module, base.paths, FAR))
        )
        moment = Moment.CONSTRUCTION
        yield base.intervention(Changed.STATE, moment, FAR, [bool(exact)], changed, exact=all(exact))
        if exact and not differs(outcome(changed), outcome(base.first)):
            yield _every_call(base)
    params = {slot.path for layout in base.run.layouts for slot in layout if slot.param}
    others = tuple(path for path in base.paths if path not in params)
    if others and len(others) < len(base.paths):
        yield _numbers_changed(base, Moment.LAST_CALL_BUT_PARAMS, lasts, AMOUNT, others)[0]
    if len(main_calls(base.run)) > 1:
        yield _numbers_changed(base, Moment.FIRST_CALL, firsts, FAR, base.paths)[0]


def _every_call(base: Base) -> Intervention:
    """The intervention after every call, in its trace: a result that subtracts the first count follows only this."""
    exact: list[bool] = []

    def change(module: Any, output: Any) -> Any:
        exact.extend(shift_numbers(module, base.paths, AMOUNT, in_trace=True))
        return output

    with forgotten():
        changed = base.again(base.first, after_call=AfterCall(lambda _: True, change), in_traces=True)
    return base.intervention(Changed.STATE, Moment.EVERY_CALL, AMOUNT, [bool(exact)], changed, exact=all(exact))


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
    """The intervention on the numbers at these paths after these calls, and whether the run had to be ended."""
    exact: list[bool] = []
    ran_on: list[bool] = []
    most = 2 * len(base.run.calls) + 10

    def selects(number: int) -> bool:
        if number > most:
            ran_on.append(True)
            raise RanOn(f"more than {most} calls")
        return number in ordinals

    def change(module: Any, output: Any) -> Any:
        exact.extend(shift_numbers(module, paths, amount, in_trace=base.run is base.reported))
        return output

    changed = base.again(base.run, after_call=AfterCall(selects, change))
    return base.intervention(Changed.STATE, moment, amount, [bool(exact)], changed, exact=all(exact)), bool(ran_on)
