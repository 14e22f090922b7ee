"""Gradescope's `results.json`: a test for each check with points, with its requirement and finding.

https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.report import CheckResult, Report, Status
from nnx_conformance.reports.feedback import ALL
from nnx_conformance.reports.terminal import finding_text
from nnx_conformance.reports.wording import broken, why_not

#: A check that is excused, or does not apply to this candidate, costs nothing.
GRANTED = (Status.HELD, Status.WAIVED, Status.NOT_APPLICABLE)


def write(reports: Sequence[Report], file: TextIO, points: Mapping[str, float] | None = None) -> None:
    """Write one result of all reports.

    Args:
        reports: of one student's candidates.
        file: open for text.
        points: by the id of a check; others have none. Each MUST check has one if it is None or empty.
    """
    tests = [test for report in reports for test in _tests(report, points, several=len(reports) > 1)]
    result = {
        "score": sum(test["score"] for test in tests),
        "execution_time": round(sum(report.seconds for report in reports)),
        "output": plain("\n".join(f"{report.candidate} {report.verdict}; {broken(report)}" for report in reports)),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }
    json.dump(result, file, indent=2)
    file.write("\n")


def _tests(report: Report, points: Mapping[str, float] | None, *, several: bool) -> list[dict[str, Any]]:
    worth = points or {result.id: 1 for result in report.checks if result.level == "MUST"}
    if points and [result.id for result in report.checks] == [ALL]:  # feedback on the verdict: all points, or none
        worth = {ALL: sum(points.values())}
    return [_test(report, result, worth.get(result.id, 0), several) for result in report.checks if result.id in worth]


def _test(report: Report, result: CheckResult, most: float, several: bool) -> dict[str, Any]:
    passed = result.status in GRANTED and report.verdict != "could not be judged"
    passed = passed and result.id not in {use.check for use in report.stale}
    return {
        "name": plain(f"{report.candidate}: {result.id}" if several else result.id),
        "score": most if passed else 0,
        "max_score": most,
        "status": "passed" if passed else "failed",
        "output": plain(_output(report, result)),
        "output_format": "text",
        "visibility": "visible",
    }


def _output(report: Report, result: CheckResult) -> str:
    findings = [finding for finding in report.findings if finding.check == result.id]
    required = "" if any(result.requirement in finding.what for finding in findings) else result.requirement
    texts = [finding_text(report, finding) for finding in findings]
    failure = [f"could not be judged: {report.failure}"] if report.failure else []
    return "\n\n".join(filter(None, (required, *texts, why_not(result), *failure)))
