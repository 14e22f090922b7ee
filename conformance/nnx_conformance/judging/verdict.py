"""Builds the report once, from tallies, examples and causes."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnx_conformance.core.candidate.loaded import End, NotLoaded, Versions
from nnx_conformance.core.contract import CORE, MUST, Check, Contract, Unseen, Violation, judged
from nnx_conformance.core.current import current, installed
from nnx_conformance.core.report import CheckResult, Finding, Report, Settings, Status
from nnx_conformance.core.search.conditions import Conditions
from nnx_conformance.judging.assertions import wording
from nnx_conformance.judging.causes import roots
from nnx_conformance.judging.excerpt import SourceFile
from nnx_conformance.judging.tally import LATE, Example, Tally
from nnx_conformance.process.session import Ended

#: What a refusal of the sandbox looks like in an error: EPERM, EACCES, EROFS. An author who never heard of the sandbox
#: must not puzzle over it.
REFUSED = re.compile(r"\[Errno (?:1|13|30)\] ")
REFUSED_CAUSE = (
    "the sandbox lets a candidate write only to its temporary directory, and start no process and no connection"
)
REFUSED_REMEDY = "Do without files, processes and the network; `--isolation process` judges without a sandbox."


@dataclass(frozen=True, eq=False)
class Header:
    """The part of a report that does not depend on the judgements, see `Report`.

    Attributes:
        started: when judging began, on the scale of `time.monotonic`; None if nothing was judged.
    """

    candidate: str
    contract: Contract
    settings: Settings
    versions: Versions | None = None
    isolation: str = ""
    source: SourceFile | None = None
    started: float | None = None
    note: str = ""

    @property
    def flax(self) -> str:
        """The version of Flax that the candidate runs on, or that is installed here."""
        return self.versions.flax if self.versions else installed()

    def plans(self, check: Check) -> bool:
        """Whether a check is reported."""
        return not self.settings.checks or check.id in self.settings.checks

    def report(self, checks: tuple[CheckResult, ...], findings: tuple[Finding, ...], **rest: Any) -> Report:
        """The report under this header."""
        return Report(
            candidate=self.candidate,
            contract=self.contract.name,
            contract_version=self.contract.version,
            settings=self.settings,
            versions=self.versions,
            checks=checks,
            findings=findings,
            isolation=self.isolation,
            source=self.source.name if self.source else "",
            note=self.note,
            seconds=0.0 if self.started is None else time.monotonic() - self.started,
            **rest,
        )

    def finding(self, check: Check, violation: Violation, **rest: Any) -> Finding:
        """A finding under this header, with the source around its line."""
        refused = self.isolation.startswith("sandbox") and REFUSED.search(violation.what)
        return Finding(
            check=check.id,
            level=check.level,
            what=violation.what,
            expected=violation.expected,
            observed=violation.observed,
            line=violation.line,
            cause=REFUSED_CAUSE if refused else violation.cause,
            remedy=REFUSED_REMEDY if refused else current(violation.remedy or check.remedy, self.flax),
            excerpt=self.source.around(violation.line) if self.source else None,
            file=self.source.elsewhere(violation.line) if self.source else "",
            end=violation.end,
            **rest,
        )


def report(
    header: Header,
    tallies: Mapping[str, Tally],
    cases: int,
    waived: frozenset[str] = frozenset(),
    time_up: Ended | None = None,
    conditions: Conditions = Conditions(),  # noqa: B008 - frozen
) -> Report:
    """The report of a candidate that was judged.

    Args:
        tallies: by check, their examples as they are to be shown.
        cases: how many were judged.
        waived: the ids of checks that are excused: for want of their evidence no verdict is withheld.
        time_up: why a case could not be judged in time, or all the others; None if there was time for all.
        conditions: which conditions of the source were met.
    """
    planned = [tally for tally in tallies.values() if header.plans(tally.check)]
    decides = [tally for tally in planned if tally.check.id not in waived]
    return header.report(
        tuple(_result(tally, tallies) for tally in planned),
        _findings(header, planned, tallies),
        cases=cases,
        failure=_failure(decides, tallies, cases, time_up, strict=header.settings.strict),
        ended=End.TIMED_OUT if time_up else _ended(planned),
        conditions=conditions,
    )


def _findings(header: Header, planned: list[Tally], tallies: Mapping[str, Tally]) -> tuple[Finding, ...]:
    """Each root with what follows from it, what decides (MUST) before advice."""
    root_of = roots(planned)
    by_root = {
        tally.check.id: _finding(header, tally, root_of[tally.check.id], tallies) for tally in planned if tally.example
    }
    by_level = sorted(by_root.values(), key=lambda finding: finding.level != MUST)
    return tuple(
        finding
        for root in by_level
        if not root.because
        for finding in (root, *(other for other in by_level if other.because == root.check))
    )


def _finding(header: Header, tally: Tally, root: str, tallies: Mapping[str, Tally]) -> Finding:
    """The finding of a violated check; its picture and its script are made here, for no other case."""
    check, example, contract = tally.check, tally.example, header.contract
    assert example is not None
    shown, of = example.shows or (check.id, example)
    case = of.request.case
    reading = None if of.facts is None else contract.read(case, of.facts)  # there are no facts where the process ended
    return header.finding(
        check,
        example.violation,
        case=example.request.case,
        smallest=example.smallest,
        violated=tally.violated,
        evaluated=tally.evaluated,
        blocks=tuple(by.check.id for by in tallies.values() if check.id in by.blocked and not by.violated),
        because=root if root != check.id else "",
        timeline=contract.timeline(case, reading) if contract.timeline and reading is not None else None,
        script=contract.script(case, reading, shown, of.violation) if contract.script and reading is not None else "",
        assertion=_assertion(check, example, contract),
        condition=example.condition or example.violation.condition,
    )


def _assertion(check: Check, example: Example, contract: Contract) -> str:
    """chex's words for the claims on the case of a finding."""
    if check.claims is None or example.facts is None:
        return ""
    case = example.request.case
    claims = judged(check, case, contract.read(case, example.facts)).claims
    return next((words for claim in claims if (words := wording([claim]))), "")


def _ended(planned: list[Tally]) -> End | None:
    """How the candidate's process ended on a case that decides."""
    deciding = [tally.example.violation.end for tally in planned if CORE in tally.check.domains and tally.example]
    return next(filter(None, deciding), None)


def _failure(
    planned: list[Tally], tallies: Mapping[str, Tally], cases: int, time_up: Ended | None, *, strict: bool
) -> str:
    """Why there is no verdict: no MUST check is violated, and some were judged on no case; empty if there is one."""
    deciding = [tally for tally in planned if tally.check.level == MUST or (strict and tally.late)]
    if any(tally.violated for tally in deciding):
        return ""
    if time_up:
        before = "case" if cases == 1 else f"{cases} cases"
        judged = f"on the {before} before, no MUST check was violated" if cases else "no case was judged"
        more = f"If it does come to an end, give it more time with `{time_up.option}`."
        return f"The time was up: {time_up}; {judged}. {more}"
    unjudged: dict[Unseen, list[str]] = {}
    for tally in deciding:
        if why := _unjudged(tally, tallies):
            unjudged.setdefault(why, []).append(tally.check.id)
    return " ".join(
        f"{_listed(ids)} {'was' if len(ids) == 1 else 'were'} judged on no case: {why.reason}. {why.remedy}".strip()
        for why, ids in unjudged.items()
    )


def _listed(ids: list[str]) -> str:
    return ids[0] if len(ids) == 1 else f"{', '.join(ids[:-1])} and {ids[-1]}"


def _unjudged(tally: Tally, tallies: Mapping[str, Tally]) -> Unseen | None:
    """Why no case judged a check that applies; None if one did, or if a violated check blocks it."""
    if tally.late:
        return LATE
    if tally.evaluated or (tally.blocked and _grounded(tally, tallies)):
        return None
    if not tally.blocked:
        return tally.missing
    causes = [by.missing for by in _behind(tally, tallies) if by.missing]
    return next(iter(causes), Unseen(f"it needs {' and '.join(tally.blocked)}, which nothing violates"))


def _behind(tally: Tally, tallies: Mapping[str, Tally]) -> list[Tally]:
    """The checks that block one, and those that block these."""
    behind: dict[str, Tally] = {}
    waiting = [by for by in tally.blocked if by in tallies]
    while waiting:
        by = tallies[waiting.pop(0)]
        if by.check.id not in behind:
            behind[by.check.id] = by
            waiting += [other for other in by.blocked if other in tallies]
    return list(behind.values())


def _grounded(tally: Tally, tallies: Mapping[str, Tally]) -> bool:
    """Whether one of the blocking checks, or of those that block these, is violated or was not judged."""
    judged = ((by.evaluated or by.blocked or by.reasons or by.unseen) for by in _behind(tally, tallies))
    return any(by.violated for by in _behind(tally, tallies)) or not all(judged)


def _result(tally: Tally, tallies: Mapping[str, Tally]) -> CheckResult:
    check = tally.check
    stands = tally.blocked and _grounded(tally, tallies)
    status = Status.VIOLATED if tally.violated else Status.BLOCKED if stands else Status.HELD
    reason = ""
    if status is Status.HELD and (tally.late or not tally.evaluated):
        why = _unjudged(tally, tallies)
        reasons = (+tally.own_reasons or tally.reasons).most_common(1)
        first = next((reason for reason, _ in reasons), "no case of it was run")
        status, reason = Status.NOT_APPLICABLE, why.reason if why else first
    blocked_by = tuple(by for by, _ in tally.blocked.most_common()) if stands else ()
    counts = (tally.evaluated, tally.violated)
    proved = tuple(tally.proved) if status is Status.HELD else ()
    return CheckResult(check.id, check.level, check.requirement, status, *counts, blocked_by, reason, proved)


def not_loaded(
    header: Header, why: NotLoaded, ended: End | None = None, *, what: str = "loaded", remedy: str = ""
) -> Report:
    """The report of a candidate that could not be loaded, or `observed`: that is its fault, so it does not conform."""
    contract = header.contract
    fallback = contract.check(contract.fallback)
    function = f"def {contract.entry}({', '.join(contract.parameters)}):"
    expected = {"loaded": "a function that can be called", "observed": "a run that can be observed"}[what]
    if why.remedy:
        expected = "a module that can be made and called"
    remedies = {
        "loaded": f"Make `{function}` importable; try `python {header.candidate}`.",
        "observed": "Take out what reaches into the kit, JAX or Flax. If nothing does, please report it with the file.",
    }
    violation = Violation(
        why.reason if why.remedy else f"the candidate could not be {what}: {why.reason}",
        expected,
        why.raised.type if why.remedy and why.raised else "none",
        line=why.raised.line if why.raised else None,
        cause=why.cause,
        remedy=remedy or why.remedy or remedies[what],
    )
    planned = [check for check in contract.checks if header.plans(check)]
    blocks = tuple(check.id for check in planned if check is not fallback)
    finding = header.finding(fallback, violation, case=None, violated=1, evaluated=1, blocks=blocks)
    results = tuple(_unloaded_result(check, fallback) for check in planned)
    return header.report(results, (finding,), cases=0, ended=ended)


def not_imported(header: Header, reason: str, ended: End | None = None) -> Report:
    """The report of a subject whose module could not be imported here: no law was judged, and none is broken."""
    results = tuple(
        CheckResult(check.id, check.level, check.requirement, Status.NOT_APPLICABLE, 0, 0, (), reason)
        for check in header.contract.checks
        if header.plans(check)
    )
    return header.report(results, (), cases=0, ended=ended, failure=reason)


def _unloaded_result(check: Check, fallback: Check) -> CheckResult:
    if check is fallback:
        return CheckResult(check.id, check.level, check.requirement, Status.VIOLATED, 1, 1)
    return CheckResult(check.id, check.level, check.requirement, Status.BLOCKED, 0, 0, (fallback.id,))
