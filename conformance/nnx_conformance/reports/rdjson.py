"""reviewdog's Diagnostic Format, by which it comments on the lines of any code host: one for each root finding.

https://github.com/reviewdog/reviewdog/tree/master/proto/rdf
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TextIO

from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.report import Finding, Report
from nnx_conformance.reports.wording import (
    also_breaks,
    details,
    documentation,
    headline,
    location,
    open_groups,
    page_of,
)

SHOWN = ("smallest case", "failing case", "cause", "remedy", "replay")


def write(reports: Sequence[Report], file: TextIO) -> None:
    """Write one result of all reports."""
    diagnostics = [each for report in reports for each in _diagnostics(report)]
    source = {"name": "nnx-conformance", **({"url": site} if (site := documentation()) else {})}
    json.dump({"source": source, "diagnostics": diagnostics}, file, indent=2)
    file.write("\n")


def _diagnostics(report: Report) -> list[dict[str, Any]]:
    found = [_finding(report, *group) for group in open_groups(report)]
    found += [_diagnostic(report, None, use.problem, "ERROR", use.check) for use in report.stale]
    if report.verdict == "could not be judged":
        text = f"could not be judged: {report.failure or 'no MUST check held'}"
        found.append(_diagnostic(report, None, text, "ERROR"))
    return found


def _finding(report: Report, finding: Finding, followers: tuple[Finding, ...]) -> dict[str, Any]:
    rows = [(label, text) for label, text in details(finding) if label in SHOWN]
    lines = [headline(finding), *(f"{label}: {text}" for label, text in (*rows, *also_breaks(followers)))]
    severity = "ERROR" if report.decides(finding.level) else "WARNING"
    return _diagnostic(report, finding, "\n".join(lines), severity, finding.check)


def _diagnostic(
    report: Report, finding: Finding | None, message: str, severity: str, check: str = ""
) -> dict[str, Any]:
    at = location(report, finding)
    place: dict[str, Any] = {"path": at.file if at else report.candidate}
    if at and at.line:
        place["range"] = {"start": {"line": at.line}}
    diagnostic = {"message": plain(message), "location": place, "severity": severity}
    if check:
        page = page_of(report.contract, check)
        diagnostic["code"] = {"value": check, **({"url": page} if page else {})}
    return diagnostic
