"""Annotations of a GitHub Actions run: workflow commands, one for each root finding, and a line for each candidate.

GitHub shows the first ten errors and the first ten warnings of a step, so what decides the verdict comes first.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TextIO

from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.report import Finding, Report
from nnx_conformance.reports.wording import CASES, also_breaks, broken, headline, how_often, location, open_groups


def write(reports: Sequence[Report], file: TextIO) -> None:
    """Write annotations, errors before warnings, then the verdicts as plain lines of the log."""
    annotations = [line for report in reports for line in _annotations(report)]
    for line in sorted(annotations, key=lambda line: not line.startswith("::error")):
        file.write(line + "\n")
    for report in reports:
        file.write(_logged(f"nnx-conformance: {report.candidate} {report.verdict}; {broken(report)}") + "\n")


def _annotations(report: Report) -> list[str]:
    annotations = [_annotation(report, root, followers) for root, followers in open_groups(report)]
    if report.verdict == "could not be judged":
        title = f"{report.candidate} could not be judged"
        annotations.insert(0, _command("error", {"title": title, **_where(report)}, report.failure or "no check held"))
    return annotations


def _annotation(report: Report, finding: Finding, followers: tuple[Finding, ...]) -> str:
    kind = "error" if report.decides(finding.level) else "warning"
    lines = [headline(finding), f"cause: {finding.cause}", f"remedy: {finding.remedy}"]
    lines += [f"{label} {text}" for label, text in also_breaks(followers)]
    lines.append(f"replay: {finding.replay}")
    if finding.case:
        lines.insert(1, f"{CASES[finding.smallest]}: {finding.case} ({how_often(finding)})")
    text = "\n".join(line for line in lines if not line.endswith(": "))
    return _command(kind, {"title": f"{finding.check} ({finding.level})", **_where(report, finding)}, text)


def _where(report: Report, finding: Finding | None = None) -> dict[str, str]:
    if (at := location(report, finding)) is None:
        return {}
    return {"file": _in_workspace(at.file), **({"line": str(at.line)} if at.line else {})}


def _in_workspace(file: str) -> str:
    """A file as annotations name it: relative to the checkout, from any current folder."""
    workspace, path = os.environ.get("GITHUB_WORKSPACE", ""), os.path.abspath(file)
    if workspace and path.startswith(os.path.abspath(workspace) + os.sep):
        return os.path.relpath(path, workspace)
    return file


def _command(kind: str, properties: dict[str, str], text: str) -> str:
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {given}::{_data(text)}"


def _data(text: str) -> str:
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _logged(text: str) -> str:
    """A log line that GitHub takes for no command; it reads old commands anywhere in a line."""
    return plain(text).replace("\n", "\\n").replace("##[", "# #[")
