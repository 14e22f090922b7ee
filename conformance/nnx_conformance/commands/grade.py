"""`nnx-conformance grade`: many candidates."""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from nnx_conformance import checking
from nnx_conformance import contract as contracts
from nnx_conformance.commands.exits import KIT_FAILED, exit_statuses
from nnx_conformance.commands.jailing import jail_of, jail_options
from nnx_conformance.commands.listing import known_format, shown, write_rows
from nnx_conformance.commands.options import seconds, writable
from nnx_conformance.errors import expected, suggestion
from nnx_conformance.grading import run, submissions
from nnx_conformance.grading.order import Order
from nnx_conformance.grading.outcome import STATUSES
from nnx_conformance.grading.run import Engine
from nnx_conformance.grading.store import Row, Store
from nnx_conformance.grading.telling import progress_on, summary
from nnx_conformance.hypothesis_folder import out_of_sight
from nnx_conformance.isolation.jail import Jail
from nnx_conformance.process import Limits
from nnx_conformance.report import Settings

RESULTS = "nnx-results.sqlite3"
ENGINES = ("local", "ray")
MOST_JOBS = 1024
INTERRUPTED = 130


@click.command()
@click.argument("candidates", metavar="FOLDER_OR_LIST")
@click.option("--contract", default="mutability", show_default=True, help="The contract to judge by.")
@click.option("--results", default=RESULTS, show_default=True, type=click.Path(path_type=Path), help="SQLite file.")
@click.option("--jobs", type=int, help="Candidates judged at a time; as many as there are cores.")
@click.option("--max-examples", default=200, show_default=True, type=int, help="Cases of the core domain.")
@click.option("--seed", default=0, show_default=True, type=int, help="Seed of the drawing; the same draws the same.")
@click.option("--strict", is_flag=True, help="Let SHOULD checks decide the verdict too.")
@click.option("--no-shrink", is_flag=True, help="Report a failing case as it was met, not the smallest.")
@click.option("--case-timeout", default=10.0, show_default=True, type=float, help="Seconds for one case.")
@click.option("--timeout", default=120.0, show_default=True, type=float, help="Seconds for one candidate.")
@jail_options
@click.option("--engine", default="local", show_default=True, metavar=f"[{'|'.join(ENGINES)}]", help="Who judges.")
@click.option("--address", help="Of a Ray cluster; a local one is started if left out.")
@click.option("--format", "form", default="terminal", show_default=True, metavar="[terminal|jsonl|csv]", help="Form.")
@click.option("--output", type=click.Path(path_type=Path), help="Write to this file.")
def grade(
    candidates: str,
    contract: str,
    results: Path,
    jobs: int | None,
    max_examples: int,
    seed: int,
    strict: bool,
    no_shrink: bool,
    case_timeout: float,
    timeout: float,
    isolation: str | None,
    memory: int,
    pass_env: tuple[str, ...],
    engine: str,
    address: str | None,
    form: str,
    output: Path | None,
) -> None:
    """Judge every candidate of a folder, a 'glob' or a JSONL file of `id` and `source`, or one file.

    Results are kept in --results as they come: the same command goes on where an earlier one was stopped.

    Exit status: 0 if every candidate conforms; 1 if one does not; 2 misuse; 3 if the kit failed at one.
    """
    settings = Settings(max_examples, seed, strict, not no_shrink)
    with exit_statuses(), out_of_sight():
        known_format(form)
        if output:
            writable("--output", output)
        limits = Limits(seconds("--case-timeout", case_timeout), seconds("--timeout", timeout))
        checking.validate(settings, contract)
        judges = _engine(engine, address, jobs)
        order = _order(contract, settings, limits, jail_of(isolation, memory, pass_env))
        read = submissions.read(candidates)
        with Store(results, create=True) as store:
            status = _graded(read, order, store, judges, form, output)
    sys.exit(status)


def _order(contract: str, settings: Settings, limits: Limits, jail: Jail) -> Order:
    found = contracts.get(contract)
    hidden = tuple(contracts.reference_folders(found))
    cpu = int(limits.run_seconds) * run.cores() + 1
    jail = dataclasses.replace(run.settled(jail), reads="libraries", hidden=hidden, cpu_seconds=cpu)
    return Order(contract, found.version, settings, limits, jail)


def _engine(name: str, address: str | None, jobs: int | None) -> Engine:
    if name not in ENGINES:
        raise expected("an engine", "--engine", name, suggestion(name, ENGINES))
    if jobs is not None and not 1 <= jobs <= MOST_JOBS:
        raise expected(f"a whole number >= 1 and <= {MOST_JOBS}", "--jobs", jobs, "Leave --jobs out for all cores.")
    if name == "ray":
        from nnx_conformance.grading.on_ray import engine

        return engine(address, jobs)
    if address is not None:
        raise expected("--engine ray beside an address", "--address", address, "Add --engine ray, or leave it out.")
    from nnx_conformance.grading.local import run as judge_here

    return lambda works, order: judge_here(works, order, jobs or run.cores())


def _graded(
    read: list[submissions.Submission], order: Order, store: Store, engine: Engine, form: str, output: Path | None
) -> int:
    started = time.monotonic()
    with progress_on(Console(stderr=True)) as told:
        try:
            accounting = run.grade(read, order, store, engine, told)
        except KeyboardInterrupt:
            click.echo("\nnnx-conformance: interrupted; what was judged is kept, the same command goes on.", err=True)
            return INTERRUPTED
    rows = list(store.rows(submission.id for submission in read))
    with shown(output) as console:
        if form == "terminal":
            summary(rows, accounting, time.monotonic() - started, console)
        else:
            write_rows(rows, store, form, console)
    return _status(rows)


def _status(rows: list[Row]) -> int:
    """Closed: only candidates that were judged and conform let it pass."""
    found = {row.status for row in rows}
    assert found <= set(STATUSES)
    if found & {"the kit failed", "not run"}:
        return KIT_FAILED
    return int(found != {"conforms"})
