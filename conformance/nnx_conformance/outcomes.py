"""What one check's result comes to where each check is a test of its own: passed, failed, skipped, xfailed, warned.

The tests of a candidate fail, one at least, exactly if its verdict is not `conforms`; `outcome` is where that is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nnx_conformance.render import finding_text
from nnx_conformance.report import CheckResult, Finding, Report

Kind = Literal["passed", "failed", "skipped", "xfailed", "warned"]


@dataclass(frozen=True)
class Outcome:
    """How a test ends, the text that says why, and the finding if there is one."""

    kind: Kind
    text: str = ""
    finding: Finding | None = None


def outcome(report: Report, check_id: str) -> Outcome:
    """What a check of a report comes to."""
    result = report.result(check_id)
    for use in report.stale:
        if use.check == check_id:
            return Outcome("failed", _joined(f"{check_id}: {use.problem}", _found(report, check_id)))
    if result.status == "violated":
        return _violated(report, result)
    if result.status == "blocked":
        return _blocked(report, result)
    if result.status != "held" and report.verdict == "could not be judged" and result.level == "MUST":
        return Outcome("failed", f"{check_id} could not be judged: {report.failure or NONE_HELD}")
    if result.status == "waived":
        return Outcome("xfailed", f"waived: {result.reason}")
    if result.status == "not applicable":
        return Outcome("skipped", f"not applicable: {result.reason}")
    return Outcome("passed")


NONE_HELD = "no MUST check held, so nothing is known of the candidate"


def _violated(report: Report, result: CheckResult) -> Outcome:
    found = next(finding for finding in report.findings if finding.check == result.id)
    return Outcome("failed" if _decides(report, result) else "warned", finding_text(found), found)


def _blocked(report: Report, result: CheckResult) -> Outcome:
    """Skipped where the blocking check's own test fails; else nobody would be told."""
    by = ", ".join(result.blocked_by)
    told = any(_decides(report, report_of) for report_of in report.checks if report_of.status == "violated")
    if told or report.stale or not _decides(report, result):
        return Outcome("skipped", f"blocked by {by}")
    return Outcome("failed", f"{result.id} could not be judged: {by} is in its way. {IN_THE_WAY}")


IN_THE_WAY = "Mend that, or waive this check too: a waiver excuses its own check only."


def _decides(report: Report, result: CheckResult) -> bool:
    return result.level == "MUST" or report.settings.strict


def _found(report: Report, check_id: str) -> str:
    return "\n".join(finding_text(finding) for finding in report.findings if finding.check == check_id)


def _joined(*texts: str) -> str:
    return "\n\n".join(filter(None, texts))
