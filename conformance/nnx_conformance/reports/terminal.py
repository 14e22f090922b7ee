"""The report for people: in colour on a terminal that has it; 100 columns wide in a file."""

from __future__ import annotations

import dataclasses
import io
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Literal, TextIO

from rich.console import Console
from rich.text import Text

from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.report import STATUSES, CheckResult, Finding, Report
from nnx_conformance.reports.wording import (
    accounting,
    also_breaks,
    broken,
    conditions,
    details,
    how_often,
    how_surely,
    place,
    setting,
    unmet,
)

COLOURS = {"conforms": "bold green", "does not conform": "bold red", "could not be judged": "bold yellow"}
#: How much is printed.
Detail = Literal["quiet", "normal", "verbose"]
WIDTH = 100
LABEL = 17
#: A finding names this many of the checks that it blocks; all stand below, under `checks`.
MANY = 6
#: Variables of the environment that ask for plain output.
PLAINLY = ("NO_COLOR", "CI")
STALE = {"expired": "has expired", "no longer needed": "is no longer needed"}


def animated(console: Console) -> bool:
    """Whether to animate progress: on a terminal, unless the environment asks for plain output."""
    plainly = console.quiet or any(os.environ.get(name) for name in PLAINLY)
    return console.is_terminal and not console.is_dumb_terminal and not plainly


def write(reports: Sequence[Report], file: TextIO, detail: Detail = "normal") -> None:
    """Write the reports, and a summary of several; if `quiet`, only those that do not conform."""
    reports = [report for report in reports if detail != "quiet" or report.verdict != "conforms"]
    console = Console(file=file, highlight=False, width=None if file is sys.stdout else WIDTH)
    for report in reports:
        if len(reports) > 1:
            console.print(Text(f"== {plain(report.candidate)}", "bold"), soft_wrap=True)
        show(report, console, detail)
        if len(reports) > 1:
            console.print()
    if len(reports) > 1:
        summary(list(reports), console)


def show(report: Report, console: Console, detail: Detail = "normal") -> None:
    """Print one report: findings first, then the accounting, then the verdict.

    Args:
        report: what to print.
        console: where to.
        detail: `verbose` adds chex's words and names the checks that hold; `quiet` leaves the accounting out.
    """
    for root, followers in report.groups:
        _finding(report, root, followers, console, detail)
    for use in report.stale:
        console.print(Text.assemble((use.check, "bold red"), f"  waiver {use.state}"))
        _row(console, "", use.problem)
        console.print()
    if detail != "quiet":
        _checks(report, console, detail)
    _verdict(report, console)


def _checks(report: Report, console: Console, detail: Detail) -> None:
    console.print(Text("checks", "bold"))
    for status in STATUSES:
        results = [result for result in report.checks if result.status == status]
        if results and (status != "held" or detail == "verbose"):
            _row(console, f"{status} {len(results)}", _listed(status, results))
        elif results:
            console.print(Text(f"  {status} {len(results)}", "dim"))
    if text := conditions(report):
        _row(console, "conditions", text)
        for line in unmet(report) if detail == "verbose" else ():
            console.print(Text(f"    {plain(line)}", "dim"), soft_wrap=True)
    console.print()


def report_text(report: Report) -> str:
    """The report as plain text, as the terminal shows it."""
    return _plain(lambda console: show(report, console))


def finding_text(report: Report, finding: Finding) -> str:
    """One finding of a report as plain text, as the terminal shows it."""
    return _plain(lambda console: _finding(report, finding, (), console))


def _plain(show: Callable[[Console], None]) -> str:
    text = io.StringIO()
    show(Console(file=text, width=80, color_system=None, highlight=False))
    return text.getvalue().strip()


def _finding(
    report: Report, finding: Finding, followers: tuple[Finding, ...], console: Console, detail: Detail = "normal"
) -> None:
    """Print a root finding with the checks that are violated or blocked because of it."""
    colour = "red" if finding.level == "MUST" else "yellow"
    head = Text.assemble((finding.check, f"bold {colour}"), f"  {finding.level}  ", how_often(finding))
    console.print(head)
    if finding.line:
        shown = Text.assemble("  ", (f"{place(report, finding)}   ", "cyan"), finding.line.source)
        console.print(shown, soft_wrap=True)
    _row(console, "", finding.what)
    for label, value in (*_rows(finding, followers), *also_breaks(followers)):
        _row(console, label, value)
    if finding.replay:
        _row(console, "replay", finding.replay)
    for number, line in enumerate(plain(finding.assertion).splitlines() if detail == "verbose" else ()):
        label = ("" if number else "  chex").ljust(LABEL)
        console.print(Text.assemble((label, "dim"), line), soft_wrap=True)
    console.print()


def _rows(finding: Finding, followers: tuple[Finding, ...]) -> list[tuple[str, str]]:
    blocks = tuple(dict.fromkeys(blocked for violated in (finding, *followers) for blocked in violated.blocks))
    rows = details(dataclasses.replace(finding, blocks=blocks, replay=""))
    return [(label, _few(blocks) if label == "blocks" else text) for label, text in rows]


def _row(console: Console, label: str, value: str, style: str = "dim") -> None:
    """A labelled text, its lines below one another; without a label, indented."""
    indent = LABEL if label else 2
    lines = textwrap.wrap(value, console.width - indent, break_long_words=False, break_on_hyphens=False)
    first = f"  {label} ".ljust(indent) if label else "  "
    for number, line in enumerate(lines):
        console.print(Text.assemble((first if number == 0 else " " * indent, style), line), soft_wrap=True)


def _few(ids: tuple[str, ...]) -> str:
    some = ", ".join(ids[:MANY])
    return f"{some} and {len(ids) - MANY} more" if len(ids) > MANY else some


def _listed(status: str, results: list[CheckResult]) -> str:
    if status == "blocked":
        causes = dict.fromkeys(result.blocked_by[0] for result in results)
        return "; ".join(f"by {cause}: {_blocked_by(cause, results)}" for cause in causes)
    if status in ("not applicable", "waived"):
        return "; ".join(f"{result.id}: {result.reason}" for result in results)
    return ", ".join(f"{result.id} ({how_surely(result)})" for result in results)


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
    if report.note:
        _row(console, "", report.note)
    _row(console, "", setting(report))


def _blocked_by_waived(report: Report) -> str:
    """Why a candidate without a violated MUST check may not conform: a waiver excuses only its own check."""
    waived = {result.id for result in report.checks if result.status == "waived"}
    blocked = [result for result in report.checks if result.status == "blocked" and waived & set(result.blocked_by)]
    if not blocked:
        return ""
    causes = ", ".join(sorted({by for result in blocked for by in result.blocked_by} & waived))
    return f"waived but still in the way: {causes}. Fix it, or waive what it blocks too; a waiver excuses its own check"


def summary(reports: list[Report], console: Console) -> None:
    """One line for each of several candidates."""
    console.print(Text("candidates", "bold"))
    for report in reports:
        decisive = [finding.check for finding in report.findings if finding.level == "MUST"]
        checks = ", ".join([*decisive, *(f"waiver of {use.check} {use.state}" for use in report.stale)])
        line = Text.assemble("  ", (report.verdict, COLOURS[report.verdict]), f"  {report.candidate}")
        console.print(line.append(f"  ({checks})" if checks else ""))
