"""The listing of a grading: in a terminal, as JSON lines and as CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from nnx_conformance.core.errors import expected, suggestion
from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.report import Finding, Report
from nnx_conformance.grading.grade import NO_VERDICT, STATUSES
from nnx_conformance.grading.run import Accounting, CountProgress
from nnx_conformance.grading.store import Store, StoredGrade
from nnx_conformance.grading.submissions import FILE, NOTEBOOK
from nnx_conformance.reports import formats
from nnx_conformance.reports.feedback import Feedback, limited
from nnx_conformance.reports.json import report_data
from nnx_conformance.reports.terminal import animated

FORMATS = ("terminal", "jsonl", "csv")
#: One document of all stored reports, for a class.
PAGES = ("html", "markdown")
COLOURS = {"conforms": "green", "does not conform": "red", "crashed": "red", "timed out": "red"}
WHAT = {
    "timed out": "{} timed out",
    "could not be judged": "{} could not be judged",
    "the kit failed": "the kit failed at {}",
}
NONE_HELD = "no MUST check held"
SLOWEST = 5
#: A listing shows this many of the checks that a candidate violates.
MANY = 4


class _Rate(ProgressColumn):
    """Candidates a minute since the start."""

    def render(self, task: Task) -> Text:
        return Text(f"{60 * task.speed:.0f} a minute" if task.speed else "")


@contextmanager
def progress_on(console: Console) -> Iterator[CountProgress]:
    """Show the progress, rate and remaining time of a grading in one line."""
    columns = (TextColumn("grading"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not animated(console)) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def summary(rows: Sequence[StoredGrade], accounting: Accounting, seconds: float, console: Console) -> None:
    """Print the results by status and by check, and the slowest candidates."""
    known = accounting.contents - accounting.judged
    rate = f", {60 * accounting.judged / seconds:.0f} a minute" if accounting.judged and seconds else ""
    total = f"{accounting.candidates} candidates of {accounting.contents} contents; "
    console.print(Text(f"{total}{accounting.judged} judged now in {seconds:.1f} s{rate}, {known} known before"))
    statuses = Counter(row.status for row in rows)
    verdicts = [(str(statuses[status]), _coloured(status)) for status in STATUSES if statuses[status]]
    _table(console, "verdicts", verdicts)
    for title, broken in (("violated checks", _counted(rows, "violates")), ("advice", _counted(rows, "advice"))):
        _table(console, title, [(str(count), Text(check)) for check, count in broken])
    slowest = sorted(rows, key=lambda row: -row.seconds)[:SLOWEST]
    _table(console, "slowest", [(f"{row.seconds:.1f} s", Text(f"{plain(row.id)}  {row.status}")) for row in slowest])
    for row in rows:
        if row.status in NO_VERDICT:
            said = plain(row.reason).splitlines() or [NONE_HELD]
            what = WHAT[row.status].format(plain(row.id))
            console.print(Text(f"{what}: {said[-1]}", "yellow"), soft_wrap=True)


def _counted(rows: Sequence[StoredGrade], which: Literal["violates", "advice"]) -> list[tuple[str, int]]:
    return Counter(check for row in rows for check in getattr(row, which)).most_common()


def _coloured(status: str) -> Text:
    return Text(status, COLOURS.get(status, "yellow"))


def _table(console: Console, title: str, lines: list[tuple[str, Text]]) -> None:
    if not lines:
        return
    table = Table(box=None, padding=(0, 1), show_header=False, title_justify="left")
    table.add_column(justify="right", no_wrap=True, min_width=7)
    table.add_column(overflow="fold")
    for first, second in lines:
        table.add_row(first, second)
    console.print(Text(title, "bold"))
    console.print(table)


def listing(rows: Sequence[StoredGrade], console: Console) -> None:
    """One line for each candidate."""
    table = Table(box=None, padding=(0, 1), show_header=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    for row in rows:
        parts = [_few(row.violates), f"advice: {_few(row.advice)}" if row.advice else ""]
        table.add_row(Text(plain(row.id)), _coloured(row.status), Text("; ".join(filter(None, parts))))
    console.print(table)


def _few(checks: tuple[str, ...]) -> str:
    return ", ".join(checks[:MANY]) + (f" and {len(checks) - MANY} more" if len(checks) > MANY else "")


def json_lines(rows: Sequence[StoredGrade], store: Store) -> Iterator[str]:
    """One JSON object for each candidate, its report included."""
    for row in rows:
        yield json.dumps(row_data(row, store)) + "\n"


def row_data(row: StoredGrade, store: Store) -> dict[str, Any]:
    """One candidate as JSON data with its report, which is None if the kit failed."""
    stored = store.stored(row.id)
    report = report_data(named(stored[0], row.id)) if stored and stored[0] else None
    return {**dataclasses.asdict(row), "report": report}


def csv_lines(rows: Sequence[StoredGrade]) -> Iterator[str]:
    """A head, and one line for each candidate."""
    yield _csv("id", "status", "seconds", "violates", "advice", "reason")
    for row in rows:
        reason = (row.reason.strip().splitlines() or [""])[-1]
        yield _csv(row.id, row.status, f"{row.seconds:.3f}", " ".join(row.violates), " ".join(row.advice), reason)


def _csv(*fields: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(map(_harmless, fields))
    return text.getvalue()


def _harmless(field: str) -> str:
    """A cell that no spreadsheet takes for a formula: candidates make ids and reasons."""
    return f"'{field}" if field.startswith(("=", "+", "-", "@")) else plain(field)


def named(report: Report, id: str) -> Report:
    """The report under a candidate's id, in its lines too: several candidates may share a content."""
    findings = tuple(_renamed(finding, id) for finding in report.findings)
    return dataclasses.replace(report, candidate=id, findings=findings)


def _renamed(finding: Finding, id: str) -> Finding:
    line = finding.line
    if line is None or line.file not in (FILE, NOTEBOOK):
        return finding
    return dataclasses.replace(finding, line=dataclasses.replace(line, file=id))


def known_format(form: str, known: Sequence[str] = FORMATS) -> None:
    """Raise `Misuse` for a format that is not known."""
    if form not in known:
        raise expected("a known format", "--format", form, suggestion(form, known))


def write_page(rows: Sequence[StoredGrade], store: Store, form: str, file: IO[str], feedback: Feedback) -> list[str]:
    """Write the stored reports as one page, without judging; returns the ids that have no report."""
    stored = {row.id: store.stored(row.id) for row in rows}
    reports = [limited(named(each[0], id), feedback) for id, each in stored.items() if each and each[0]]
    formats.get(form).write(reports, cast("TextIO", file))
    return [id for id, each in stored.items() if not (each and each[0])]


@contextmanager
def console_for(output: Path | None) -> Iterator[Console]:
    """A console that writes to a file or the terminal."""
    if output is None:
        yield Console(highlight=False)
        return
    with output.open("w", encoding="utf-8", errors="backslashreplace") as file:
        yield Console(file=file, highlight=False, width=100)


def write_rows(rows: Sequence[StoredGrade], store: Store, form: str, console: Console) -> None:
    """Write the rows in a format."""
    if form == "terminal":
        listing(rows, console)
        return
    for line in json_lines(rows, store) if form == "jsonl" else csv_lines(rows):
        console.file.write(line)
