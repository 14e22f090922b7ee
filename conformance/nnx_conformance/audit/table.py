"""The table of an audit, for the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nnx_conformance.audit.audit import Audit, AuditedCheck
from nnx_conformance.audit.kill_matrix import KillRow
from nnx_conformance.audit.specimens import KINDS, Kind
from nnx_conformance.core.plain_text import plain

WIDTH = 110
TITLES: dict[Kind, str] = {
    "right": "right implementations",
    "mutant": "mutants, written by hand",
    "made": "mutants made of the reference by one change of its syntax",
    "rare": "mutants made of the reference, wrong under a rare condition",
}


def write(audit: Audit, file: TextIO) -> None:
    """Write the table."""
    known = file.isatty() or "COLUMNS" in os.environ
    console = Console(file=file, highlight=False, width=None if known else WIDTH)
    if audit.rows:
        _matrix(audit, console)
        _checks(audit, console)
        _reaches(audit, console)
    for problem in audit.problems:
        console.print(Text(f"  {plain(problem)}", "red"))
    console.print(Text(f"contract {audit.contract} is {'not ' if audit.problems else ''}sound", "bold"))
    for line in accounting(audit):
        console.print(f"  {line}")


def _matrix(audit: Audit, console: Console) -> None:
    """Print a row per implementation and a column per check: `#` caught in every run, `+` in some, `.` in none."""
    console.print(Text("kill matrix", "bold"), "  # in every run, + in some; columns are the checks below, by number")
    columns = {check.id: column for column, check in enumerate(audit.checks)}
    width = max(len(row.name) for row in audit.rows)
    _head(audit, width, console)
    for kind in KINDS:
        rows = [row for row in audit.rows if row.kind == kind]
        if rows:
            console.print(Text(TITLES[kind], "dim"))
        for row in rows:
            cells = ["."] * len(columns)
            for check, times in row.by.items():
                cells[columns[check]] = "#" if times == row.runs else "+"
            console.print(Text(f"{plain(row.name):<{width}} {''.join(cells)}  {odds(row)}"), no_wrap=True, crop=False)
    console.print()


def _head(audit: Audit, width: int, console: Console) -> None:
    numbers = range(1, len(audit.checks) + 1)
    tens, units = ("".join(str(number // power % 10) for number in numbers) for power in (10, 1))
    console.print(Text(f"{'':<{width}} {tens}\n{'':<{width}} {units}  caught in a run, with 95 % confidence", "dim"))


def odds(row: KillRow) -> str:
    """The probability that a run catches a mutant; or `accused`, or why it is no program."""
    if row.dead:
        return "no program: " + plain(row.unloaded)[:60]
    if row.kind == "right":
        return "accused" if row.accused else ""
    return f"{row.probability}" + ("  right after all" if row.equivalent else "")


def _checks(audit: Audit, console: Console) -> None:
    table = Table(box=None, padding=(0, 1), title="checks", title_justify="left", title_style="bold")
    table.add_column("", justify="right")
    table.add_column("check", no_wrap=True, min_width=max(len(check.id) for check in audit.checks))
    for head in ("level", "catches", *(() if audit.narrow else ("alone", "needed", "alone it catches"))):
        table.add_column(head, justify="right" if head in ("catches", "alone") else "left", overflow="fold")
    for number, check in enumerate(audit.checks, 1):
        if check.catches or not audit.partial.startswith("only"):
            catches = "no mutant here" if check.silent else str(len(check.catches))
            more = () if audit.narrow else _needs(check, audit)
            table.add_row(str(number), check.id, check.level, catches, *more)
    console.print(table)
    if audit.narrow:
        console.print("Each mutant was judged only by the checks that it names.\n")
        return
    how = "no smaller set does" if audit.smallest.exact else "found greedily"
    size = len(audit.smallest.checks)
    console.print(f"{size} of {len(audit.checks)} checks catch all that is caught ({how})\n")


def _needs(check: AuditedCheck, audit: Audit) -> tuple[str, str, str]:
    """The number of mutants that only this check catches, whether the smallest set has it, and some of their names."""
    some = ", ".join(check.alone[:3]) + (", ..." if len(check.alone) > 3 else "")
    return str(len(check.alone)), "yes" if check.id in audit.smallest.checks else "", some


def _reaches(audit: Audit, console: Console) -> None:
    if not audit.reaches:
        return
    drawings = audit.reaches[0].met.runs
    title = f"rare conditions that {drawings} drawings of {audit.max_examples} cases do not always meet"
    table = Table(box=None, padding=(0, 1), title=title, title_justify="left", title_style="bold")
    for head in ("condition", "family", "of all cases", "met in a drawing"):
        table.add_column(head)
    for reach in audit.reaches:
        if reach.met.hits < drawings:
            table.add_row(reach.name, reach.family, f"{reach.share:.2%}", str(reach.met))
    console.print(table)
    always = sum(reach.met.hits == drawings for reach in audit.reaches)
    console.print(f"{always} of {len(audit.reaches)} conditions are drawn every time\n")


def accounting(audit: Audit) -> Iterator[str]:
    """The lines with the numbers of mutants, right implementations and runs."""
    mutants, recorded = audit.mutants, [row for row in audit.rows if row.equivalent]
    caught = [row for row in mutants if row.caught]
    always = [row for row in caught if row.caught == row.runs]
    rights = [row for row in audit.rows if row.kind == "right"]
    dead = [row for row in audit.rows if row.dead]
    if audit.rows:
        yield (
            f"{len(mutants)} mutants = {len(always)} caught in every run + {len(caught) - len(always)} in some + "
            f"{len(audit.survivors)} survived; {len(recorded)} more are right after all, {len(dead)} are no program"
        )
        yield f"{_number(len(rights), 'right implementation')}, {sum(bool(row.accused) for row in rights)} accused"
    for module, count in audit.absent.items():
        yield f"{_number(count, 'implementation')} left out for want of {module}, which is not installed"
    seeds = f"{_number(len(audit.seeds), 'run')} of each with {audit.max_examples} cases"
    partly = f" ({audit.partial})" if audit.partial else ""
    yield f"{seeds}{partly}; Flax {audit.flax}, JAX {audit.jax}, Python {audit.python}; {audit.seconds:.0f} s"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"
