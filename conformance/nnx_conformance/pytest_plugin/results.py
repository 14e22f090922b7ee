"""Ends the running pytest item according to a check's result, without showing the kit's stack.

At least one test of a candidate fails if, and only if, its verdict is not `conforms`; `item_result` ensures that.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import pytest

from nnx_conformance.core.errors import AdviceWarning
from nnx_conformance.core.report import CheckResult, Finding, Report
from nnx_conformance.project.baseline import NAME
from nnx_conformance.reports.terminal import finding_text, report_text
from nnx_conformance.reports.wording import location

Kind = Literal["passed", "failed", "skipped", "xfailed", "warned"]


@dataclass(frozen=True)
class ItemResult:
    """How a test ends, the reason, and the finding if there is one."""

    kind: Kind
    text: str = ""
    finding: Finding | None = None


def item_result(report: Report, check_id: str) -> ItemResult:
    """The result of a check's pytest item."""
    result = report.result(check_id)
    for use in report.stale:
        if use.check == check_id:
            texts = [f"{check_id}: {use.problem}"]
            texts += ["\n" + finding_text(report, finding) for finding in report.findings if finding.check == check_id]
            return ItemResult("failed", "\n".join(texts))
    if result.status == "violated":
        return _violated(report, result)
    if result.status == "blocked":
        # Skip only if another test fails; otherwise all would pass although the candidate does not conform.
        by = ", ".join(result.blocked_by)
        fails_elsewhere = any(_decides(report, other) for other in report.checks if other.status == "violated")
        if fails_elsewhere or report.stale or not _decides(report, result):
            return ItemResult("skipped", f"blocked by {by}")
        return ItemResult("failed", f"{result.id} could not be judged: {by} is in its way. {IN_THE_WAY}")
    if result.status != "held" and report.verdict == "could not be judged" and result.level == "MUST":
        return ItemResult("failed", f"{check_id} could not be judged: {report.failure or NONE_HELD}")
    if result.status == "waived":
        return ItemResult("xfailed", f"waived: {result.reason}")
    if result.status == "not applicable":
        return ItemResult("skipped", f"not applicable: {result.reason}")
    return ItemResult("passed")


NONE_HELD = "no MUST check held, so nothing is known of the candidate"


def _violated(report: Report, result: CheckResult) -> ItemResult:
    violation = next(finding for finding in report.findings if finding.check == result.id)
    return ItemResult("failed" if _decides(report, result) else "warned", finding_text(report, violation), violation)


IN_THE_WAY = "Fix that, or waive this check too: a waiver excuses its own check only."


def _decides(report: Report, result: CheckResult) -> bool:
    return result.level == "MUST" or report.settings.strict


#: Of a test that fails, where the baseline that is written records what it fails for.
RECORDED = ItemResult("xfailed", f"recorded in {NAME}")


def settle(report: Report, check_id: str, *, recorded: bool = False) -> None:
    """End the running test according to one check's result: return, warn, fail, skip or xfail."""
    __tracebackhide__ = True
    _end(report, RECORDED if recorded else item_result(report, check_id))


def settle_all(report: Report, *, recorded: bool = False) -> None:
    """Fail the running test unless the verdict is `conforms`; warn of advice."""
    __tracebackhide__ = True
    if recorded:
        _end(report, RECORDED)
    if report.verdict != "conforms":
        pytest.fail(report_text(report), pytrace=False)
    for finding in report.findings:
        _warn(report, finding, finding_text(report, finding))


def _end(report: Report, result: ItemResult) -> None:
    __tracebackhide__ = True
    if result.kind == "failed":
        pytest.fail(result.text, pytrace=False)
    if result.kind == "skipped":
        pytest.skip(result.text)
    if result.kind == "xfailed":
        pytest.xfail(result.text)
    if result.kind == "warned" and result.finding:
        _warn(report, result.finding, result.text)


def _warn(report: Report, finding: Finding, text: str) -> None:
    """Warn at the candidate's line; if warnings are errors, fail as a violated MUST check does."""
    __tracebackhide__ = True
    file = report.candidate.partition("::")[0]
    line = location(report, finding)
    try:
        warnings.warn_explicit(text, AdviceWarning, line.file if line else file, (line and line.line) or 1)
        return
    except AdviceWarning:
        pass  # fail outside of this block, or pytest shows the warning's stack too
    pytest.fail(text, pytrace=False)
