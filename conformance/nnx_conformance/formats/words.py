"""What every format says alike: how often, how many, on what, and where."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath

from nnx_conformance.report import STATUSES, CheckResult, Finding, Report, Status

#: What the case of a finding is, by whether the search for smaller ones came to its end.
CASES = {True: "smallest case", False: "failing case"}
SHARES = ("held", "violated", "advice violated", "blocked", "waived", "not applicable")


def how_often(finding: Finding) -> str:
    """On how many cases a check was violated."""
    if finding.case is None:
        return "violated before any case was run"
    noun = "case" if finding.evaluated == 1 else "cases"
    return f"violated on {finding.violated} of {finding.evaluated} {noun}"


def broken(report: Report) -> str:
    """How many checks are violated."""
    must = [result for result in report.checks if result.level == "MUST"]
    violated = sum(result.status == "violated" for result in must)
    advised = sum(result.level != "MUST" and result.status == "violated" for result in report.checks)
    advice = f", {advised} of advice" if advised else ""
    return f"{violated} of {len(must)} MUST checks violated{advice}"


def accounting(report: Report) -> str:
    """What the planned checks came to."""
    counts = " + ".join(f"{report.count(status)} {status}" for status in STATUSES if report.count(status))
    return f"{len(report.checks)} planned = {counts}"


def setting(report: Report) -> str:
    """Under what it was judged, on what, and how long it took."""
    versions = report.versions
    where = f"; Flax {versions.flax}, JAX {versions.jax}, Python {versions.python}" if versions else ""
    contract = f"contract {report.contract} {report.contract_version}"
    return f"{contract}, {report.cases} cases, seed {report.settings.seed}{where}; {report.seconds:.1f} s"


def share(report: Report, result: CheckResult) -> str:
    """What became of a check; of what is violated, advice apart from what decides."""
    advice = result.status == "violated" and not report.decides(result.level)
    return "advice violated" if advice else result.status


def shares(report: Report) -> list[tuple[str, int]]:
    """What the planned checks came to, without what none came to."""
    counts = Counter(share(report, result) for result in report.checks)
    return [(label, counts[label]) for label in SHARES if counts[label]]


def verdicts(reports: list[Report]) -> str:
    """How many of several candidates conform."""
    good = sum(report.verdict == "conforms" for report in reports)
    return f"{good} of {len(reports)} candidates conform{'s' if good == 1 else ''}"


def judged_by(reports: list[Report]) -> str:
    """The contracts of several reports."""
    named = list(dict.fromkeys(f"{report.contract} {report.contract_version}" for report in reports))
    return f"contract{'s' if len(named) > 1 else ''} {', '.join(named)}"


def facts(finding: Finding) -> list[tuple[str, str]]:
    """What is known of a finding besides what happened, as label and text."""
    rows = [
        (CASES[finding.smallest], str(finding.case) if finding.case else ""),
        ("expected", finding.expected),
        ("observed", finding.observed),
        ("cause", finding.cause),
        ("remedy", finding.remedy),
        ("blocks", ", ".join(finding.blocks)),
        ("script", finding.run),
        ("replay", finding.replay),
    ]
    return [(label, text) for label, text in rows if text]


def is_prose(label: str, text: str) -> bool:
    """Whether a fact is a sentence, with code in backticks, rather than a value or a command as a whole."""
    return label in ("cause", "remedy", "blocks") or (label not in ("replay", "script") and "`" in text)


def status(report: Report, finding: Finding) -> Status:
    """What became of the check of a finding: violated, or waived."""
    return report.result(finding.check).status


def open_findings(report: Report) -> list[Finding]:
    """The findings that nobody has excused."""
    return [finding for finding in report.findings if status(report, finding) == "violated"]


def why_not(result: CheckResult) -> str:
    """Why a check was not judged, or does not count."""
    if result.status == "blocked":
        return f"blocked by {', '.join(result.blocked_by)}"
    return f"{result.status}: {result.reason}" if result.status in ("waived", "not applicable") else ""


@dataclass(frozen=True)
class Place:
    """Where in the repository: a file, relative to the current folder where it lies below, and a line if known."""

    file: str
    line: int | None


def place(report: Report, finding: Finding | None = None) -> Place | None:
    """Where a finding, or else the candidate, is to be shown; None if it has no file.

    A candidate tells the file of a line itself, so one that leads out of its folder is not followed.
    """
    if not report.source:
        return None
    line = finding.line if finding else None
    beside = PurePosixPath(line.file) if line else PurePosixPath()
    if line is None or line.number < 1 or beside.is_absolute() or ".." in beside.parts:
        return Place(report.source, None)
    return Place(str(PurePosixPath(report.source).parent / beside), line.number)
