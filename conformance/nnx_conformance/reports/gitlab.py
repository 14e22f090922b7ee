"""GitLab's code quality report, which a merge request shows at the lines: one entry for each root finding.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, TextIO

from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.report import Finding, Report
from nnx_conformance.reports.wording import headline, location, open_groups

#: By whether a finding decides the verdict.
SEVERITIES = {True: "major", False: "minor"}


def write(reports: Sequence[Report], file: TextIO) -> None:
    """Write one list of all reports."""
    entries = [entry for report in reports for entry in _entries(report)]
    json.dump(entries, file, indent=2)
    file.write("\n")


def _entries(report: Report) -> list[dict[str, Any]]:
    entries = [_of_finding(report, finding) for finding, _ in open_groups(report)]
    entries += [_entry(report, use.check, use.problem, "major") for use in report.stale]
    if report.verdict == "could not be judged":
        text = f"could not be judged: {report.failure or 'no MUST check held'}"
        entries.append(_entry(report, "verdict", text, "blocker"))
    return entries


def _of_finding(report: Report, finding: Finding) -> dict[str, Any]:
    text = f"{headline(finding)}. {finding.remedy}"
    return _entry(report, finding.check, text, SEVERITIES[report.decides(finding.level)], finding)


def _entry(
    report: Report, check: str, description: str, severity: str, finding: Finding | None = None
) -> dict[str, Any]:
    at = location(report, finding)
    path = at.file if at else report.candidate
    # GitLab takes entries of the same fingerprint for one, and one that moved by some lines for the same.
    marks = [path, report.contract, check, finding.line.source if finding and finding.line else ""]
    return {
        "description": " ".join(plain(description).split()),
        "check_name": check,
        "fingerprint": hashlib.sha256(json.dumps(marks).encode()).hexdigest()[:32],
        "severity": severity,
        "location": {"path": path, "lines": {"begin": (at and at.line) or 1}},
    }
