"""A grading in a terminal, as JSON lines and as CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from nnx_conformance import as_json
from nnx_conformance.grading.outcome import STATUSES
from nnx_conformance.grading.run import Accounting
from nnx_conformance.grading.store import Row, Store
from nnx_conformance.plain_text import plain
from nnx_conformance.report import Report

COLOURS = {"conforms": "green", "does not conform": "red", "crashed": "red", "timed out": "red"}
SLOWEST = 5
#: A listing shows this many of the checks that a candidate violates.
MANY = 4


class _Rate(ProgressColumn):
    """Candidates a minute since the start."""

    def render(self, task: Task) -> Text:
        return Text(f"{60 * task.speed:.0f} a minute" if task.speed else "")


@contextmanager
def progress_on(console: Console) -> Iterator[Callable[[int, int], None]]:
    """Show how far a grading has come, at which rate, and how long it will take; nothing without a terminal."""
    columns = (TextColumn("grading"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def summary(rows: Sequence[Row], accounting: Accounting, seconds: float, console: Console) -> None:
    """What came out: by status, by check, and the slowest."""
    known = accounting.contents - accounting.judged
    rate = f", {60 * accounting.judged / seconds:.0f} a minute" if accounting.judged and seconds else ""
    told = f"{accounting.candidates} candidates of {accounting.contents} contents; "
    console.print(Text(f"{told}{accounting.judged} judged now in {seconds:.1f} s{rate}, {known} known before"))
    statuses = Counter(row.status for row in rows)
    shown = [(str(statuses[status]), _coloured(status)) for status in STATUSES if statuses[status]]
    _table(console, "verdicts", shown)
    broken = Counter(check for row in rows for check in row.violates).most_common()
    _table(console, "violated checks", [(str(count), Text(check)) for check, count in broken])
    slowest = sorted(rows, key=lambda row: -row.seconds)[:SLOWEST]
    _table(console, "slowest", [(f"{row.seconds:.1f} s", Text(f"{plain(row.id)}  {row.status}")) for row in slowest])
    for row in rows:
        if row.status == "the kit failed":
            console.print(Text(f"the kit failed at {plain(row.id)}: {plain(row.reason).splitlines()[-1]}", "yellow"))


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


def listing(rows: Sequence[Row], console: Console) -> None:
    """One line for each candidate."""
    table = Table(box=None, padding=(0, 1), show_header=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    for row in rows:
        more = f" and {len(row.violates) - MANY} more" if len(row.violates) > MANY else ""
        table.add_row(Text(plain(row.id)), _coloured(row.status), Text(", ".join(row.violates[:MANY]) + more))
    console.print(table)


def json_lines(rows: Sequence[Row], store: Store) -> Iterator[str]:
    """One JSON object for each candidate, its report included."""
    for row in rows:
        found = store.stored(row.id)
        report = as_json.report_data(named(found[0], row.id)) if found and found[0] else None
        yield json.dumps({**dataclasses.asdict(row), "report": report}) + "\n"


def csv_lines(rows: Sequence[Row]) -> Iterator[str]:
    """A head, and one line for each candidate."""
    yield _csv("id", "status", "seconds", "violates", "reason")
    for row in rows:
        reason = (row.reason.strip().splitlines() or [""])[-1]
        yield _csv(row.id, row.status, f"{row.seconds:.3f}", " ".join(row.violates), reason)


def _csv(*fields: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(map(_harmless, fields))
    return text.getvalue()


def _harmless(field: str) -> str:
    """A cell that no spreadsheet takes for a formula: ids and reasons are made by candidates."""
    return f"'{field}" if field.startswith(("=", "+", "-", "@")) else plain(field)


def named(report: Report, id: str) -> Report:
    """The report under the id of a candidate: others may have the same content."""
    return dataclasses.replace(report, candidate=id)
