"""`nnx-conformance results`: query what `grade` has stored."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import click
from rich.console import Console

from nnx_conformance.cli import completion
from nnx_conformance.cli.options import feedback_of, feedback_option, progress_on, writable, writing
from nnx_conformance.core import contracts
from nnx_conformance.core.errors import expected, suggestion
from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.report import Report
from nnx_conformance.grading.grade import STATUSES
from nnx_conformance.grading.listing import FORMATS, PAGES, console_for, known_format, named, write_page, write_rows
from nnx_conformance.grading.passes import passes
from nnx_conformance.grading.run import settled
from nnx_conformance.grading.shrinking import shrunk
from nnx_conformance.grading.store import Store
from nnx_conformance.process.limits import Limits
from nnx_conformance.project.checking import no_hypothesis_folder
from nnx_conformance.reports import terminal
from nnx_conformance.reports.feedback import Feedback, limited
from nnx_conformance.sandbox.jail import Jail

FORMS = (*FORMATS, *PAGES)
PASS_FORMATS = ("terminal", "jsonl")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--violates", metavar="ID", help="Only candidates that violate this check.", shell_complete=completion.every_check
)
@click.option(
    "--status",
    help=f"Only candidates of this status: {', '.join(STATUSES)}.",
    shell_complete=completion.one_of(*STATUSES),
)
@click.option(
    "--pass-at",
    type=int,
    multiple=True,
    metavar="K",
    help="pass@K with its interval, for ids task/sample; may be given again.",
)
@click.option("--show", metavar="ID", help="Show the whole report of one candidate.")
@click.option("--shrink", is_flag=True, help="Look for its smallest failing cases first; with --show.")
@click.option("--source", metavar="ID", help="Show the source of one candidate.")
@click.option(
    "--format",
    "form",
    default="terminal",
    show_default=True,
    metavar=f"[{'|'.join(FORMS)}]",
    help="Output form.",
    shell_complete=completion.one_of(*FORMS),
)
@feedback_option
@click.option("--output", type=click.Path(path_type=Path), help="Write the output to this file.")
def results(
    file: Path,
    violates: str | None,
    status: str | None,
    pass_at: tuple[int, ...],
    show: str | None,
    shrink: bool,
    source: str | None,
    form: str,
    feedback: str,
    output: Path | None,
) -> None:
    """Query the results FILE of `grade`, even while it grades."""
    known_format(form, FORMS)
    shown = feedback_of(feedback)
    if output:
        writable("--output", output)
    if status is not None and status not in STATUSES:
        raise expected("a status", "--status", status, suggestion(status, STATUSES))
    _known_check(violates)
    if shrink and show is None:
        raise expected("--show ID with --shrink", "--shrink", shrink, "Add it: the search is for one candidate.")
    if pass_at and (others := [each for each in (violates, status, show, source) if each is not None]):
        raise expected("no other question with --pass-at", "pass_at", pass_at, f"Leave out {others[0]!r}.")
    with Store(file, create=False) as store:
        if show is not None or source is not None:
            _candidate(store, show, source, output, shown, shrink=shrink)
            return
        if pass_at:
            _passes(store, pass_at, form, output)
            return
        rows = list(store.rows(violates=violates or "", status=status or ""))
        with console_for(output) as console:
            if form not in PAGES:
                write_rows(rows, store, form, console)
            elif without := write_page(rows, store, form, console.file, shown):
                click.echo(f"nnx-conformance: no report is stored of {', '.join(map(plain, without))}", err=True)


def _smallest(report: Report, source: bytes) -> Report:
    contract = contracts.get(report.contract)
    hidden = tuple(contracts.reference_folders(contract))
    jail = dataclasses.replace(settled(Jail()), reads="libraries", hidden=hidden)
    with no_hypothesis_folder(), progress_on(Console(stderr=True), report.candidate) as progress:
        return shrunk(report, source, Limits(), jail, progress)


def _passes(store: Store, ks: tuple[int, ...], form: str, output: Path | None) -> None:
    if form not in PASS_FORMATS:
        raise expected("a format of --pass-at", "--format", form, suggestion(form, PASS_FORMATS))
    found = passes(store.rows(), ks)
    with console_for(output) as console:
        for each in found:
            text = f"pass@{each.k}  {each.share:.3f}  ({each.low:.3f} to {each.high:.3f})  of {each.tasks} tasks"
            fewer = f", {each.left_out} with fewer than {each.k} left out" if each.left_out else ""
            line = json.dumps(dataclasses.asdict(each)) if form == "jsonl" else f"{text}, {each.samples} samples{fewer}"
            console.print(line, markup=False, soft_wrap=True)


def _known_check(check: str | None) -> None:
    if check is None:
        return
    known = {each.id for name in contracts.names() for each in contracts.get(name).checks}
    if check not in known:
        raise expected("the id of a check", "--violates", check, suggestion(check, known))


def _candidate(
    store: Store, show: str | None, source: str | None, output: Path | None, feedback: Feedback, *, shrink: bool
) -> None:
    option, wanted = ("--show", show) if show is not None else ("--source", source)
    assert wanted is not None
    stored = store.stored(wanted)
    if stored is None:
        raise expected("the id of a candidate", option, wanted, suggestion(wanted, (row.id for row in store.rows())))
    report, content = stored
    if option == "--source":
        if output is None:
            sys.stdout.buffer.write(content)
        else:
            with writing("--output", output):
                output.write_bytes(content)
        return
    with console_for(output) as console:
        if report is None:
            row = next(row for row in store.rows([wanted]))
            console.print(f"{wanted}: {row.status}. {row.reason}", markup=False)
        else:
            report = _smallest(report, content) if shrink else report
            terminal.show(limited(named(report, wanted), feedback), console)
