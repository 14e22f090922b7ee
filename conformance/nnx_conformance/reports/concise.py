"""One line a finding, as linters print them and editors read them: `file:line: MUST check-id message`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.report import Report
from nnx_conformance.reports.wording import SourceLocation, location, open_findings


def write(reports: Sequence[Report], file: TextIO) -> None:
    """Write the findings, each root before what follows from it; a candidate that conforms without advice has none."""
    for report in reports:
        for finding in open_findings(report):
            line = f"{_place(report, location(report, finding))}: {finding.level} {finding.check} {finding.what}"
            file.write(_one(line))
        for use in report.stale:
            file.write(_one(f"{_place(report, location(report))}: MUST {use.check} {use.problem}"))
        if report.verdict == "could not be judged":
            failure = report.failure or "no MUST check held"
            file.write(_one(f"{_place(report, location(report))}: could not be judged: {failure}"))


def _place(report: Report, at: SourceLocation | None) -> str:
    return str(at) if at else report.candidate


def _one(text: str) -> str:
    return " ".join(plain(text).split()) + "\n"
