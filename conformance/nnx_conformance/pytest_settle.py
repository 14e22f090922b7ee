"""Ending a test as a check's result says, with the finding and without a stack of the kit."""

from __future__ import annotations

import os
import warnings

import pytest

from nnx_conformance.errors import AdviceWarning
from nnx_conformance.outcomes import Outcome, outcome
from nnx_conformance.render import finding_text, report_text
from nnx_conformance.report import Finding, Report


def settle(report: Report, check_id: str) -> None:
    """End the running test as one check's result says: return, warn, fail, skip or xfail."""
    __tracebackhide__ = True
    _end(report, outcome(report, check_id))


def settle_all(report: Report) -> None:
    """Fail the running test unless the verdict is `conforms`; warn of what is advice."""
    __tracebackhide__ = True
    if report.verdict != "conforms":
        pytest.fail(report_text(report), pytrace=False)
    for finding in report.findings:
        _warn(report, finding, finding_text(finding))


def _end(report: Report, reached: Outcome) -> None:
    __tracebackhide__ = True
    if reached.kind == "failed":
        pytest.fail(reached.text, pytrace=False)
    if reached.kind == "skipped":
        pytest.skip(reached.text)
    if reached.kind == "xfailed":
        pytest.xfail(reached.text)
    if reached.kind == "warned" and reached.finding:
        _warn(report, reached.finding, reached.text)


def _warn(report: Report, finding: Finding, text: str) -> None:
    """Warn at the candidate's line; where warnings are errors, fail as a violated MUST check does."""
    __tracebackhide__ = True
    file = report.candidate.partition("::")[0]
    place = (os.path.join(os.path.dirname(file), finding.line.file), finding.line.number) if finding.line else (file, 1)
    try:
        warnings.warn_explicit(text, AdviceWarning, *place)
        return
    except AdviceWarning:
        pass  # failing in here would show the warning's stack too
    pytest.fail(text, pytrace=False)
