"""`nnx-conformance results`: query what `grade` has stored."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nnx_conformance import contract as contracts
from nnx_conformance import render
from nnx_conformance.commands.exits import exit_statuses
from nnx_conformance.commands.listing import known_format, shown, write_rows
from nnx_conformance.commands.options import writable
from nnx_conformance.errors import expected, suggestion
from nnx_conformance.grading.outcome import STATUSES
from nnx_conformance.grading.store import Store
from nnx_conformance.grading.telling import named


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--violates", metavar="ID", help="Only candidates that violate this check.")
@click.option("--status", help=f"Only those of a status: {', '.join(STATUSES)}.")
@click.option("--show", metavar="ID", help="The whole report of one candidate.")
@click.option("--source", metavar="ID", help="The source of one candidate, as it was handed in.")
@click.option("--format", "form", default="terminal", show_default=True, metavar="[terminal|jsonl|csv]", help="Form.")
@click.option("--output", type=click.Path(path_type=Path), help="Write to this file.")
def results(
    file: Path,
    violates: str | None,
    status: str | None,
    show: str | None,
    source: str | None,
    form: str,
    output: Path | None,
) -> None:
    """Query the results FILE that `grade` has written; also while it still writes."""
    with exit_statuses():
        known_format(form)
        if output:
            writable("--output", output)
        if status is not None and status not in STATUSES:
            raise expected("a status", "--status", status, suggestion(status, STATUSES))
        _known_check(violates)
        with Store(file, create=False) as store:
            if show is not None or source is not None:
                _one(store, show, source, output)
                return
            with shown(output) as console:
                write_rows(list(store.rows(violates=violates or "", status=status or "")), store, form, console)


def _known_check(check: str | None) -> None:
    if check is None:
        return
    known = {one.id for name in contracts.names() for one in contracts.get(name).checks}
    if check not in known:
        raise expected("the id of a check", "--violates", check, suggestion(check, known))


def _one(store: Store, show: str | None, source: str | None, output: Path | None) -> None:
    option, wanted = ("--show", show) if show is not None else ("--source", source)
    assert wanted is not None
    found = store.stored(wanted)
    if found is None:
        raise expected("the id of a candidate", option, wanted, suggestion(wanted, (row.id for row in store.rows())))
    report, content = found
    if option == "--source":
        _bytes(content, output)
        return
    with shown(output) as console:
        if report is None:
            row = next(row for row in store.rows([wanted]))
            console.print(f"{wanted}: {row.status}. {row.reason}", markup=False)
        else:
            render.show(named(report, wanted), console)


def _bytes(content: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(content)
    else:
        output.write_bytes(content)
