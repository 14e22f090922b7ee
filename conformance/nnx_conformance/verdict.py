"""From tallies to the report."""

from __future__ import annotations

import dataclasses

from nnx_conformance.asking import CAUSES
from nnx_conformance.contract import CORE, MUST, Check, Contract
from nnx_conformance.judge import Judging
from nnx_conformance.loaded import NotLoaded, Versions
from nnx_conformance.report import CheckResult, Finding, Report, Settings, Status
from nnx_conformance.tally import Shown, Tally


def report(
    candidate: str,
    judging: Judging,
    shown: dict[str, Shown],
    versions: Versions,
    waived: frozenset[str] = frozenset(),
) -> Report:
    """The report of a candidate that was judged; one `waived` check without evidence is no bar to a verdict."""
    contract, settings = judging.contract, judging.settings
    planned = [tally for tally in judging.tallies.values() if not settings.checks or tally.check.id in settings.checks]
    findings = [
        _finding(tally, shown.get(tally.check.id, tally.first), judging.tallies)
        for tally in planned
        if tally.first is not None
    ]
    findings = _grouped(findings)
    return Report(
        candidate=candidate,
        contract=contract.name,
        contract_version=contract.version,
        settings=settings,
        versions=versions,
        cases=judging.cases,
        checks=tuple(map(_result, planned)),
        findings=tuple(sorted(findings, key=lambda finding: finding.level != "MUST")),
        seconds=0.0,
        failure=_failure([tally for tally in planned if tally.check.id not in waived], judging.tallies),
        ended=_ended(planned),
    )


def _ended(planned: list[Tally]) -> str:
    """How the candidate's process ended on a case that decides."""
    deciding = [tally.first[1].observed for tally in planned if CORE in tally.check.domains and tally.first]
    return next((observed for observed in deciding if observed in CAUSES), "")


def _grouped(findings: list[Finding]) -> list[Finding]:
    """The findings, each with the one at the head of what it follows: one cause, one place in the report."""
    shown = {finding.check: finding for finding in findings}

    def cause(finding: Finding) -> Finding:
        seen = {finding.check}
        while finding.follows in shown and finding.follows not in seen:
            finding = shown[finding.follows]
            seen.add(finding.check)
        return finding

    heads = {finding.check: cause(finding).check for finding in findings}
    return [
        dataclasses.replace(finding, follows=heads[finding.check] if heads[finding.check] != finding.check else "")
        for finding in findings
    ]


def _failure(planned: list[Tally], tallies: dict[str, Tally]) -> str:
    """Why there is no verdict although no MUST check is violated; empty if there is one.

    One lacks evidence that could be had in another way, or is blocked by what, in the end, nothing breaks.
    """
    deciding = [tally for tally in planned if tally.check.level == MUST]
    if any(tally.violated for tally in deciding):
        return ""
    missing = next((tally.elsewhere for tally in deciding if tally.elsewhere and not tally.evaluated), "")
    return missing or next((_groundless(tally) for tally in deciding if not _grounded(tally, tallies)), "")


def _grounded(tally: Tally, tallies: dict[str, Tally]) -> bool:
    """Whether one of the checks that stand in the way, or in the way of these, is violated, or was not judged."""
    met, waiting = set[str](), set(tally.blocked) & set(tallies)
    while waiting:
        by = tallies[waiting.pop()]
        if by.violated or not (by.evaluated or by.blocked or by.reasons):
            return True
        met.add(by.check.id)
        waiting |= set(by.blocked) & set(tallies) - met
    return not tally.blocked


def _groundless(tally: Tally) -> str:
    by = ", ".join(tally.blocked)
    return f"{tally.check.id} is blocked by {by}, which nothing violates: the contract contradicts itself"


def _result(tally: Tally) -> CheckResult:
    check = tally.check
    blocked_by = tuple(by for by, _ in tally.blocked.most_common())
    base = CheckResult(check.id, check.level, check.requirement, "held", tally.evaluated, tally.violated, blocked_by)
    if tally.violated:
        return _with(base, "violated")
    if tally.blocked:
        return _with(base, "blocked")
    if tally.evaluated:
        return _with(base, "held")
    reason = next((reason for reason, _ in tally.reasons.most_common(1)), "no case of it was run")
    return _with(base, "not applicable", tally.elsewhere or reason)


def _with(result: CheckResult, status: Status, reason: str = "") -> CheckResult:
    return dataclasses.replace(result, status=status, reason=reason)


def _finding(tally: Tally, shown: Shown, others: dict[str, Tally]) -> Finding:
    check, violation = tally.check, shown.violation
    blocks = tuple(other.check.id for other in others.values() if check.id in other.blocked and not other.violated)
    return Finding(
        check=check.id,
        level=check.level,
        what=violation.what,
        expected=violation.expected,
        observed=violation.observed,
        line=violation.line,
        cause=violation.cause,
        remedy=violation.remedy or check.remedy,
        case=shown.request.case,
        smallest=shown.smallest,
        violated=tally.violated,
        evaluated=tally.evaluated,
        blocks=blocks,
        timeline=violation.timeline,
        script=violation.script,
        follows=next((by for by in violation.follows if others[by].violated), ""),
    )


def not_loaded(
    candidate: str,
    contract: Contract,
    settings: Settings,
    versions: Versions | None,
    why: NotLoaded,
    ended: str = "",
    what: str = "loaded",
) -> Report:
    """The report of a candidate that could not be loaded or observed: its code is at fault, so it does not conform."""
    fallback = contract.check(contract.fallback)
    line = why.raised.line if why.raised else None
    function = f"def {contract.entry}({', '.join(contract.parameters)}):"
    remedies = {
        "loaded": f"Make `{function}` importable; try `python {candidate}`.",
        "observed": "Take out what reaches into the kit, JAX or Flax. If nothing does, please report it with the file.",
    }
    planned = [check for check in contract.checks if not settings.checks or check.id in settings.checks]
    blocks = tuple(check.id for check in planned if check is not fallback)
    finding = Finding(
        check=fallback.id,
        level=fallback.level,
        what=f"the candidate could not be {what}: {why.reason}",
        expected="a function that can be called" if what == "loaded" else "a run that can be observed",
        observed="none",
        line=line,
        cause=why.cause,
        remedy=remedies[what],
        case=None,
        violated=1,
        evaluated=1,
        blocks=blocks,
    )
    results = tuple(_unloaded_result(check, fallback) for check in planned)
    about = (candidate, contract.name, contract.version, settings, versions)
    return Report(*about, 0, results, (finding,), seconds=0.0, ended=ended)


def _unloaded_result(check: Check, fallback: Check) -> CheckResult:
    if check is fallback:
        return CheckResult(check.id, check.level, check.requirement, "violated", 1, 1)
    return CheckResult(check.id, check.level, check.requirement, "blocked", 0, 0, (fallback.id,))
