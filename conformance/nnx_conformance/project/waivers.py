"""Waivers: checks that a candidate's owner excused. They are data, and the check still runs.

A waiver excuses the check that it names and no other: what that check blocks cannot be judged, and still decides. A
waiver that has expired, or that its candidate no longer needs, decides against the candidate, so that none outlives its
reason.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from nnx_conformance.core.report import Finding, Report, Status, WaiverState, WaiverUse


@dataclass(frozen=True)
class Waiver:
    """One excused check.

    Attributes:
        check: its id.
        candidate: a glob, matched against the candidate's path from the project's root; `*` goes over folders too.
        reason: why.
        expires: the last day on which it excuses; None if it does not end.
        contract: of the check; that of the settings if empty. Entries of a baseline name it.
    """

    check: str
    candidate: str
    reason: str
    expires: datetime.date | None = None
    contract: str = ""

    def expired(self, today: datetime.date) -> bool:
        """Whether its last day is over."""
        return self.expires is not None and today > self.expires


def excused(waivers: Iterable[Waiver], today: datetime.date) -> frozenset[str]:
    """The ids of the checks that these waivers excuse today."""
    return frozenset(waiver.check for waiver in waivers if not waiver.expired(today))


def applied(
    report: Report, waivers: Iterable[Waiver], today: datetime.date, still_violated: Callable[[str], bool]
) -> Report:
    """The report with what its waivers excuse counted as waived.

    Args:
        report: of a candidate that all of the waivers name.
        waivers: those that name it.
        today: the day by which they expire.
        still_violated: whether a stored case still breaks a check that this run saw hold. It is asked before a waiver
            is called unneeded: what the drawn cases show only now and then must not make it flicker.
    """
    planned = {result.id for result in report.checks}
    for waiver in waivers:
        if waiver.check in planned:
            report = _with_waiver(report, waiver, today, still_violated)
    return report


def _with_waiver(report: Report, waiver: Waiver, today: datetime.date, still_violated: Callable[[str], bool]) -> Report:
    result = report.result(waiver.check)
    waived = next((finding for finding in report.findings if finding.check == waiver.check), None)
    if waiver.expired(today):
        return _used(report, waiver, "expired")
    if result.status == "held" and not still_violated(waiver.check):
        return _used(report, waiver, "no longer needed")
    if result.status in ("waived", "not applicable"):
        return _used(report, waiver, "in force")
    findings = tuple(
        dataclasses.replace(finding, because="") if finding.because == waiver.check else finding
        for finding in report.findings
        if finding is not waived
    )
    waived_result = dataclasses.replace(result, status=Status.WAIVED, reason=waiver.reason)
    checks = tuple(waived_result if other is result else other for other in report.checks)
    excusing = dataclasses.replace(report, findings=findings, checks=checks)
    return dataclasses.replace(excusing, waivers=(*report.waivers, _use(waiver, "in force", waived)))


def _used(report: Report, waiver: Waiver, state: WaiverState) -> Report:
    return dataclasses.replace(report, waivers=(*report.waivers, _use(waiver, state)))


def _use(waiver: Waiver, state: WaiverState, waived: Finding | None = None) -> WaiverUse:
    expires = waiver.expires.isoformat() if waiver.expires else ""
    return WaiverUse(waiver.check, waiver.candidate, waiver.reason, expires, state, waived)
