"""The report in a terminal, readable at 80 columns, coloured where the terminal has it."""

from __future__ import annotations

import textwrap

from rich.console import Console
from rich.text import Text

from nnx_conformance.report import STATUSES, CheckResult, Finding, Report

COLOURS = {"conforms": "bold green", "does not conform": "bold red", "could not be judged": "bold yellow"}
LABEL = 17
#: A finding names this many of the checks that it blocks; all stand below, under `checks`.
MANY = 6


def show(report: Report, console: Console) -> None:
    """Print one report: findings first, then the accounting, then the verdict."""
    for finding in report.findings:
        if not finding.follows:
            _finding(finding, [other for other in report.findings if other.follows == finding.check], console)
    advised = [finding for finding in report.findings if finding.level != "MUST"]
    _accounting(report, console)
    _verdict(report, len(advised), console)


def _finding(finding: Finding, followers: list[Finding], console: Console) -> None:
    """One cause: the finding that names it, and the checks that are violated or blocked because of it."""
    colour = "red" if finding.level == "MUST" else "yellow"
    head = Text.assemble((finding.check, f"bold {colour}"), f"  {finding.level}  ", _how_often(finding))
    console.print(head)
    if finding.line:
        place = Text.assemble("  ", (f"{finding.line}   ", "cyan"), finding.line.source)
        console.print(place, soft_wrap=True)
    _row(console, "", finding.what)
    for label, value in _rows(finding, followers):
        _row(console, label, value)
    for other in followers:
        _row(console, "also breaks", f"{other.check} ({other.level}): {other.what}")
    if finding.replay:
        _row(console, "replay", finding.replay)
    console.print()


def _how_often(finding: Finding) -> str:
    if finding.case is None:
        return "violated before any case was run"
    noun = "case" if finding.evaluated == 1 else "cases"
    return f"violated on {finding.violated} of {finding.evaluated} {noun}"


def _rows(finding: Finding, followers: list[Finding]) -> list[tuple[str, str]]:
    rows = [
        ("smallest case", str(finding.case) if finding.case else ""),
        ("expected", finding.expected),
        ("observed", finding.observed),
        ("cause", finding.cause),
        ("remedy", finding.remedy),
        ("blocks", _few(tuple(dict.fromkeys(blocked for one in (finding, *followers) for blocked in one.blocks)))),
    ]
    return [(label, value) for label, value in rows if value]


def _row(console: Console, label: str, value: str, style: str = "dim") -> None:
    """A labelled text, its lines below one another; without a label, indented."""
    indent = LABEL if label else 2
    lines = textwrap.wrap(value, console.width - indent, break_long_words=False, break_on_hyphens=False)
    first = f"  {label} ".ljust(indent) if label else "  "
    for number, line in enumerate(lines):
        console.print(Text.assemble((first if number == 0 else " " * indent, style), line), soft_wrap=True)


def _few(ids: tuple[str, ...]) -> str:
    shown = ", ".join(ids[:MANY])
    return f"{shown} and {len(ids) - MANY} more" if len(ids) > MANY else shown


def _accounting(report: Report, console: Console) -> None:
    """Which checks held, blocked, or did not apply, and on how many cases each was judged."""
    console.print(Text("checks", "bold"))
    for status in STATUSES:
        results = [result for result in report.checks if result.status == status]
        if results:
            _row(console, f"{status} {len(results)}", _listed(status, results))
    console.print()


def _listed(status: str, results: list[CheckResult]) -> str:
    if status == "blocked":
        causes = dict.fromkeys(result.blocked_by[0] for result in results)
        return "; ".join(f"by {cause}: {_blocked_by(cause, results)}" for cause in causes)
    if status in ("not applicable", "waived"):
        return "; ".join(f"{result.id}: {result.reason}" for result in results)
    return ", ".join(f"{result.id} ({result.evaluated})" for result in results)


def _blocked_by(cause: str, results: list[CheckResult]) -> str:
    return ", ".join(result.id for result in results if result.blocked_by[0] == cause)


def _verdict(report: Report, advised: int, console: Console) -> None:
    counts = " + ".join(f"{report.count(status)} {status}" for status in STATUSES if report.count(status))
    console.print(Text.assemble((f"{report.candidate} ", "bold"), (report.verdict, COLOURS[report.verdict])))
    must = [result for result in report.checks if result.level == "MUST"]
    broken = sum(result.status == "violated" for result in must)
    advice = f", {advised} of advice" if advised else ""
    _row(console, "", f"{broken} of {len(must)} MUST checks violated{advice}; {len(report.checks)} planned = {counts}")
    if report.failure:
        _row(console, "", report.failure)
    versions = report.versions
    where = f"; Flax {versions.flax}, JAX {versions.jax}, Python {versions.python}" if versions else ""
    setting = f"contract {report.contract} {report.contract_version}, {report.cases} cases, seed {report.settings.seed}"
    _row(console, "", f"{setting}{where}; {report.seconds:.1f} s")


def summary(reports: list[Report], console: Console) -> None:
    """One line for each of several candidates."""
    console.print(Text("candidates", "bold"))
    for report in reports:
        checks = ", ".join(finding.check for finding in report.findings if finding.level == "MUST")
        line = Text.assemble("  ", (report.verdict, COLOURS[report.verdict]), f"  {report.candidate}")
        console.print(line.append(f"  ({checks})" if checks else ""))
