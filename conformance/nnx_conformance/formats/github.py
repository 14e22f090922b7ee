"""Annotations of a GitHub Actions run: workflow commands, one for each finding, and a line for each candidate.

GitHub shows the first ten errors and the first ten warnings of a step, so what decides the verdict comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from nnx_conformance.formats.words import CASES, broken, how_often, open_findings, place
from nnx_conformance.plain_text import plain
from nnx_conformance.report import Finding, Report


def write(reports: Sequence[Report], file: TextIO) -> None:
    """Write annotations, errors before warnings, then the verdicts as plain lines of the log."""
    annotations = [line for report in reports for line in _annotations(report)]
    for line in sorted(annotations, key=lambda line: not line.startswith("::error")):
        file.write(line + "\n")
    for report in reports:
        file.write(_logged(f"nnx-conformance: {report.candidate} {report.verdict}; {broken(report)}") + "\n")


def _annotations(report: Report) -> list[str]:
    found = [_annotation(report, finding) for finding in open_findings(report)]
    if report.verdict == "could not be judged":
        title = f"{report.candidate} could not be judged"
        found.insert(0, _command("error", {"title": title, **_where(report)}, report.failure or "no check held"))
    return found


def _annotation(report: Report, finding: Finding) -> str:
    kind = "error" if report.decides(finding.level) else "warning"
    lines = [finding.what, f"cause: {finding.cause}", f"remedy: {finding.remedy}", f"replay: {finding.replay}"]
    if finding.case:
        lines.insert(1, f"{CASES[finding.smallest]}: {finding.case} ({how_often(finding)})")
    text = "\n".join(line for line in lines if not line.endswith(": "))
    return _command(kind, {"title": f"{finding.check} ({finding.level})", **_where(report, finding)}, text)


def _where(report: Report, finding: Finding | None = None) -> dict[str, str]:
    if (at := place(report, finding)) is None:
        return {}
    return {"file": at.file, **({"line": str(at.line)} if at.line else {})}


def _command(kind: str, properties: dict[str, str], text: str) -> str:
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {given}::{_data(text)}"


def _data(text: str) -> str:
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _logged(text: str) -> str:
    """A line of the log that is no command: the old form of commands is read anywhere in a line."""
    return plain(text).replace("\n", "\\n").replace("##[", "# #[")
