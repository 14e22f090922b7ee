"""The report in a terminal, readable at 80 columns, coloured where the terminal has it."""

from __future__ import annotations

import dataclasses
import io
import textwrap
from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from nnx_conformance.formats.words import accounting, broken, facts, how_often, setting
from nnx_conformance.report import STATUSES, CheckResult, Finding, Report, WaiverUse

COLOURS = {"conforms": "bold green", "does not conform": "bold red", "could not be judged": "bold yellow"}
LABEL = 17
#: A finding names this many of the checks that it blocks; all stand below, under `checks`.
MANY = 6
STALE = {"expired": "has expired", "no longer needed": "is no longer needed"}


def show(report: Report, console: Console) -> None:
    """Print one report: findings first, then the accounting, then the verdict."""
    for finding in report.findings:
        if not finding.follows:
            _finding(finding, [other for other in report.findings if other.follows == finding.check], console)
    for use in report.stale:
        _stale(use, console)
    _accounting(report, console)
    _verdict(report, console)


def report_text(report: Report) -> str:
    """The report as plain text, as the terminal shows it."""
    return _plain(lambda console: show(report, console))


def finding_text(finding: Finding) -> str:
    """One finding as plain text, as the terminal shows it."""
    return _plain(lambda console: _finding(finding, [], console))


def _plain(show: Callable[[Console], None]) -> str:
    text = io.StringIO()
    show(Console(file=text, width=80, color_system=None, highlight=False))
    return text.getvalue().strip()


def _finding(finding: Finding, followers: list[Finding], console: Console) -> None:
    """One cause: the finding that names it, and the checks that are violated or blocked because of it."""
    colour = "red" if finding.level == "MUST" else "yellow"
    head = Text.assemble((finding.check, f"bold {colour}"), f"  {finding.level}  ", how_often(finding))
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


def _stale(use: WaiverUse, console: Console) -> None:
    console.print(Text.assemble((use.check, "bold red"), f"  waiver {use.state}"))
    _row(console, "", use.problem)
    console.print()


def _rows(finding: Finding, followers: list[Finding]) -> list[tuple[str, str]]:
    blocks = tuple(dict.fromkeys(blocked for one in (finding, *followers) for blocked in one.blocks))
    told = facts(dataclasses.replace(finding, blocks=blocks, replay=""))
    return [(label, _few(blocks) if label == "blocks" else text) for label, text in told]


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


def _verdict(report: Report, console: Console) -> None:
    console.print(Text.assemble((f"{report.candidate} ", "bold"), (report.verdict, COLOURS[report.verdict])))
    _row(console, "", f"{broken(report)}; {accounting(report)}")
    if report.stale:
        waivers = ", ".join(f"that of {use.check} {STALE[use.state]}" for use in report.stale)
        _row(console, "", f"a waiver that is out of date decides against it: {waivers}")
    if widened := _blocked_by_waived(report):
        _row(console, "", widened)
    if report.failure:
        _row(console, "", report.failure)
    _row(console, "", setting(report))


def _blocked_by_waived(report: Report) -> str:
    """Why a candidate without a violated MUST check may not conform: a waiver excuses no other check than its own."""
    waived = {result.id for result in report.checks if result.status == "waived"}
    blocked = [result for result in report.checks if result.status == "blocked" and waived & set(result.blocked_by)]
    if not blocked:
        return ""
    causes = ", ".join(sorted({by for result in blocked for by in result.blocked_by} & waived))
    return (
        f"waived but still in the way: {causes}. Mend it, or waive what it blocks too; a waiver excuses its own check"
    )


def summary(reports: list[Report], console: Console) -> None:
    """One line for each of several candidates."""
    console.print(Text("candidates", "bold"))
    for report in reports:
        decisive = [finding.check for finding in report.findings if finding.level == "MUST"]
        checks = ", ".join([*decisive, *(f"waiver of {use.check} {use.state}" for use in report.stale)])
        line = Text.assemble("  ", (report.verdict, COLOURS[report.verdict]), f"  {report.candidate}")
        console.print(line.append(f"  ({checks})" if checks else ""))
