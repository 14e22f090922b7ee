"""Wording that all formats share: how often, how many, on what, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import PurePosixPath

from nnx_conformance.core.contract import Check, Violation
from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.report import STATUSES, CheckResult, Finding, Report, Status
from nnx_conformance.core.trail import placed

#: What the case of a finding is, by whether the search for smaller ones came to its end.
CASES = {True: "smallest case", False: "failing case"}
SHARES = ("held", "violated", "advice violated", "blocked", "waived", "not applicable")


def documentation() -> str:
    """The address of the documentation that the package's metadata names; empty if they name none."""
    urls = metadata("nnx-conformance").get_all("Project-URL") or []
    named = (url.removeprefix("Documentation, ").rstrip("/") for url in urls if url.startswith("Documentation, "))
    return next(named, "")


def page_of(contract: str, check_id: str) -> str:
    """The address of a check's page; empty if the documentation has none."""
    return f"{site}/checks/{contract}/{check_id}.html" if (site := documentation()) else ""


def how_often(finding: Finding) -> str:
    """On how many cases a check was violated."""
    if finding.case is None and finding.evaluated == 1:  # no case was run, or the feedback counts none
        return "violated"
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
    """The planned checks by status."""
    counts = " + ".join(f"{report.count(status)} {status}" for status in STATUSES if report.count(status))
    return f"{len(report.checks)} planned = {counts}"


def conditions(report: Report) -> str:
    """How many conditions the cases met both ways, and what was not watched; empty without conditions."""
    known = report.conditions
    counted = f"{known.total - len(known.unmet)} of {known.total} met both ways" if known.total else ""
    return "; ".join(filter(None, (counted, known.note and f"not all were watched: {known.note}")))


def unmet(report: Report) -> list[str]:
    """The conditions that were not met both ways, a line each."""
    return [
        f"{each.line}  {each.text}  was never {each.never}{f' (nearest: {each.nearest})' if each.nearest else ''}"
        f"{f'; advice: {each.advice}' if each.advice else ''}"
        for each in report.conditions.unmet
    ]


def setting(report: Report) -> str:
    """The contract, cases, seed, versions and seconds of a report."""
    versions = report.versions
    where = f"; Flax {versions.flax}, JAX {versions.jax}, Python {versions.python}" if versions else ""
    contract = f"contract {report.contract} {report.contract_version}"
    return f"{contract}, {report.cases} cases, seed {report.settings.seed}{where}; {report.seconds:.1f} s"


def share(report: Report, result: CheckResult) -> str:
    """The status of a check, with violated advice apart from violated MUST checks."""
    advice = result.status == "violated" and not report.decides(result.level)
    return "advice violated" if advice else result.status


def shares(report: Report) -> list[tuple[str, int]]:
    """The planned checks by status, without empty ones."""
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


def details(finding: Finding) -> list[tuple[str, str]]:
    """The facts of a finding besides what happened, as label and text."""
    rows = [
        (CASES[finding.smallest], str(finding.case) if finding.case else ""),
        ("only where", finding.condition),
        ("expected", finding.expected),
        ("observed", finding.observed),
        ("cause", finding.cause),
        ("remedy", finding.remedy),
        ("blocks", ", ".join(finding.blocks)),
        ("script", finding.run),
        ("follows from", finding.because),
        ("replay", finding.replay),
    ]
    return [(label, text) for label, text in rows if text]


def also_breaks(followers: Iterable[Finding]) -> list[tuple[str, str]]:
    """What follows from a root finding, as label and text, under the root."""
    return [("also breaks", f"{other.check} ({other.level}): {other.what}") for other in followers]


def is_prose(label: str, text: str) -> bool:
    """Whether a fact is a sentence, with code in backticks, rather than a value or a command as a whole."""
    return label in ("cause", "remedy", "blocks") or (label not in ("replay", "script") and "`" in text)


def status(report: Report, finding: Finding) -> Status:
    """The status of a finding's check: violated or waived."""
    return report.result(finding.check).status


def open_findings(report: Report) -> list[Finding]:
    """The findings that no waiver excuses."""
    return [finding for finding in report.findings if status(report, finding) == "violated"]


def open_groups(report: Report) -> list[tuple[Finding, tuple[Finding, ...]]]:
    """The open root findings, each with its followers."""
    return [group for group in report.groups if status(report, group[0]) == "violated"]


def how_surely(result: CheckResult) -> str:
    """On how many cases a check holds, and what a trace proves."""
    return "; ".join(filter(None, (str(result.evaluated), proof(result))))


def proof(result: CheckResult) -> str:
    """For which values of its inputs a trace proves that a check holds; empty for none."""
    return f"for every value of {' and '.join(result.proved)}" if result.proved else ""


def why_not(result: CheckResult) -> str:
    """Why a check was not judged, or does not count."""
    if result.status == "blocked":
        return f"blocked by {', '.join(result.blocked_by)}"
    return f"{result.status}: {result.reason}" if result.status in ("waived", "not applicable") else ""


@dataclass(frozen=True)
class SourceLocation:
    """A place in the repository.

    Attributes:
        file: relative to the current folder where it lies below.
        line: in the file, if known; None in a notebook, whose lines are those of its cells.
        within: in a notebook, `cell 3 line 2`.
    """

    file: str
    line: int | None
    within: str = ""

    def __str__(self) -> str:
        return placed(self.file, self.line, self.within)


def location(report: Report, finding: Finding | None = None) -> SourceLocation | None:
    """The place of a finding, or of the candidate; None without a file.

    A candidate names the file of a line itself, so one that leads out of its folder is not followed.
    """
    if not report.source:
        return None
    line = finding.line if finding else None
    if finding and line and finding.file:
        return SourceLocation(finding.file, line.number)
    beside = PurePosixPath(line.file) if line else PurePosixPath()
    if line is None or line.number < 1 or beside.is_absolute() or ".." in beside.parts:
        return SourceLocation(report.source, None)
    file = str(PurePosixPath(report.source).parent / beside)
    return SourceLocation(file, None if line.within else line.number, line.within)


def place(report: Report, finding: Finding) -> str:
    """The line of a finding as text, its file relative to the current folder; empty if no line is known."""
    if finding.line is None:
        return ""
    at = location(report, finding)
    return str(at) if at and (at.line or at.within) else str(finding.line)


def first_finding(check: Check, violation: Violation) -> str:
    """The first finding, in one line, while others are looked for."""
    where = f"{violation.line}  " if violation.line else ""
    return plain(f"{check.id}  {check.level}  violated: {where}{violation.what}")


def headline(finding: Finding) -> str:
    """What happened, for formats that know only lines of files: in a notebook, cell and line come first."""
    within = finding.line.within if finding.line else ""
    return f"{within}: {finding.what}" if within else finding.what
