"""Limits how much of a report students see: the cause and the case may be the exercise."""

from __future__ import annotations

import dataclasses
from typing import Literal, get_args

from nnx_conformance.core.report import CheckResult, Finding, Report, Status, Verdict
from nnx_conformance.core.search.conditions import Conditions

Feedback = Literal["verdict", "checks", "full"]
LEVELS: tuple[Feedback, ...] = get_args(Feedback)
#: What stands for all checks where none is named.
ALL = "verdict"


def limited(report: Report, feedback: Feedback) -> Report:
    """The report, limited to a level of feedback.

    Args:
        report: the whole.
        feedback: `verdict` says whether the candidate conforms; `checks` names the checks too, with what each requires;
            `full` leaves all: line, cause, case, expected value and remedy.
    """
    if feedback == "full":
        return report
    return _of_checks(report) if feedback == "checks" else _of_verdict(report)


def _of_checks(report: Report) -> Report:
    requirements = {result.id: result.requirement for result in report.checks}
    findings = tuple(_bare(finding, requirements[finding.check]) for finding in report.findings)
    waivers = tuple(dataclasses.replace(use, finding=None) for use in report.waivers)
    return dataclasses.replace(report, findings=findings, waivers=waivers, conditions=Conditions())


def _bare(finding: Finding, requirement: str) -> Finding:
    what = f"required: {requirement}"
    return Finding(
        finding.check,
        finding.level,
        what,
        "",
        "",
        None,
        "",
        "",
        None,
        finding.violated,
        finding.evaluated,
        finding.blocks,
        finding.because,
    )


def _of_verdict(report: Report) -> Report:
    """A report whose only check is the verdict."""
    report = dataclasses.replace(report, waivers=(), conditions=Conditions())
    conforms = report.verdict == Verdict.CONFORMS
    status = Status.HELD if conforms else Status.VIOLATED
    requirement = f"The candidate keeps the contract {report.contract}."
    result = CheckResult(ALL, "MUST", requirement, status, report.cases, 0 if conforms else 1)
    finding = Finding(ALL, "MUST", f"required: {requirement}", "", "", None, "", "", None, 1, 1)
    if report.verdict == Verdict.UNJUDGED:
        failure = report.failure or "no MUST check held"
        return dataclasses.replace(report, checks=(), findings=(), failure=failure)
    findings = () if conforms else (finding,)
    return dataclasses.replace(report, checks=(result,), findings=findings)
