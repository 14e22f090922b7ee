"""Laws on visits: calls in which a condition of the trace has an outcome that no program gives it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from nnx_conformance.contracts.module_laws.evidence import ConditionVisit, LeafFacts
from nnx_conformance.contracts.module_laws.facts import ProgramFacts
from nnx_conformance.contracts.module_laws.laws.differences import text
from nnx_conformance.contracts.module_laws.laws.law import Evidence
from nnx_conformance.contracts.module_laws.laws.reading import ProgramReading, by_path, changed, is_stream
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, same_bits
from nnx_conformance.core.contract import Violation
from nnx_conformance.core.facts import Line
from nnx_conformance.core.search.conditions import Met

ANYWHERE = "optimisers and weight decay change every Param"


def visits(reading: ProgramReading) -> list[ConditionVisit]:
    """The visits that calls, inputs or training lead to."""
    return [visit for step in reading.facts.steps for visit in step.visits if visit.reached]


def params_kept(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claims that visits change no bit of a Param."""
    for visit in visits(reading):
        yield from _kept(visit, params=True)


def params_written(reading: ProgramReading) -> Violation | None:
    """The violation of the first visit that changes a Param."""
    for visit in visits(reading):
        if path := _changed(visit, params=True):
            return _violation(visit, path, f"a plain call changed the Param `{path}`", ANYWHERE)
    return None


def frozen(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claims that visits in eval mode change no state, and return the same when repeated."""
    for visit in visits(reading):
        if visit.evaluating:
            yield from _kept(visit, params=False)
            for old, new in _returned(visit):
                assert old.array is not None and new.array is not None
                yield same_bits(new.array, old.array)


def moved_in_eval_mode(reading: ProgramReading) -> Violation | None:
    """The violation of the first visit in eval mode that changes state, or returns something else when repeated."""
    for visit in visits(reading):
        if visit.evaluating and (path := _changed(visit, params=False)):
            return _violation(visit, path, f"in eval mode, the state `{path}` changed")
        for old, new in _returned(visit) if visit.evaluating else ():
            if changed(old, new):
                what = "in eval mode, the same input gave another output"
                return _violation_of(visit, what, text(old), text(new), visit.line)
    return None


def _kept(visit: ConditionVisit, params: bool) -> Iterator[Claim]:
    old = by_path(visit.before)
    for new in visit.after:
        was = old.get(new.path)
        if was and _counts(new, params) and was.array is not None and new.array is not None:
            yield same_bits(new.array, was.array)


def _changed(visit: ConditionVisit, params: bool) -> str:
    """The path of the first leaf that the visit changed; empty if there is none."""
    old = by_path(visit.before)
    both = ((old[new.path], new) for new in visit.after if new.path in old and _counts(new, params))
    return next((new.path for was, new in both if changed(was, new)), "")


def _counts(leaf: LeafFacts, params: bool) -> bool:
    return leaf.param if params else leaf.state and not is_stream(leaf)


def _returned(visit: ConditionVisit) -> Iterable[tuple[LeafFacts, LeafFacts]]:
    pairs = zip(visit.outputs, visit.again, strict=False)
    return [(old, new) for old, new in pairs if old.array is not None and new.array is not None]


def _violation(visit: ConditionVisit, path: str, what: str, cause: str = "") -> Violation:
    values = text(by_path(visit.before)[path]), text(by_path(visit.after)[path])
    line = next((write.line for write in visit.writes if write.path == path), visit.line)
    return _violation_of(visit, what, *values, line, cause)


def _violation_of(
    visit: ConditionVisit, what: str, expected: str, observed: str, line: Line | None, cause: str = ""
) -> Violation:
    what = f"{visit.where}, {what}"
    return Violation(what, expected, observed, line, cause, evidence=Evidence.KIT, condition=quoted(visit))


def quoted(visit: ConditionVisit) -> str:
    """The condition of a visit, its code in backticks; empty if a library compares."""
    code, separator, limit = visit.condition.partition(" at its ")
    return f"`{code}`{separator}{limit}" if code else ""


def condition_outcomes(facts: ProgramFacts) -> Iterator[Met]:
    """The conditions of a program's traces, with advice if a state that we set would violate a law."""
    for step in facts.steps:
        for known in step.conditions:
            set_by_kit = (visit for visit in step.visits if not visit.reached and known.text in visit.condition)
            advice = next(filter(None, map(_advice, set_by_kit)), "")
            yield dataclasses.replace(known, advice=advice)


def _advice(visit: ConditionVisit) -> str:
    if path := _changed(visit, params=True):
        return f"{visit.where} by the kit, a call changes the Param `{path}`; no call led there"
    if visit.evaluating and (path := _changed(visit, params=False)):
        return f"{visit.where} by the kit, a call in eval mode changes `{path}`; no call led there"
    return ""
