"""`nnx-conformance grade`: many candidates."""

from __future__ import annotations

import dataclasses
import datetime
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from nnx_conformance.cli import completion, ending
from nnx_conformance.cli.grading import service
from nnx_conformance.cli.options import jail_of, jail_options, limit_options, limits_of, seconds, writable, writing
from nnx_conformance.cli.statuses import KIT_FAILED
from nnx_conformance.core import contracts
from nnx_conformance.core.errors import expected, suggestion
from nnx_conformance.core.report import Settings, Verdict
from nnx_conformance.grading import excusing, run, submissions
from nnx_conformance.grading.first_tier import first_tier
from nnx_conformance.grading.grade import NO_VERDICT, STATUSES
from nnx_conformance.grading.listing import (
    FORMATS,
    console_for,
    known_format,
    listing,
    progress_on,
    summary,
    write_rows,
)
from nnx_conformance.grading.run import Engine
from nnx_conformance.grading.store import Store, StoredGrade
from nnx_conformance.grading.tasks import GradingPlan
from nnx_conformance.judging import check as checking
from nnx_conformance.process.limits import Limits
from nnx_conformance.project import baseline, recording
from nnx_conformance.project.checking import no_hypothesis_folder
from nnx_conformance.project.settings import find
from nnx_conformance.sandbox.jail import Jail

RESULTS = "nnx-results.sqlite3"
ENGINES = ("local", "ray")
MOST_JOBS = 1024
FORMS = (*FORMATS, service.FORMAT)
KEPT = "the results are kept; the same command continues"
SHRINK_FIX = "Add --complete; or leave both out, and ask `results FILE --show ID --shrink` for the smallest of one."


@click.command()
@click.argument("candidates", metavar="FOLDER_OR_LIST", shell_complete=completion.files)
@click.option(
    "--contract",
    default="mutability",
    show_default=True,
    help="Contract to judge by.",
    shell_complete=completion.contract_names,
)
@click.option(
    "--results",
    default=RESULTS,
    show_default=True,
    type=click.Path(path_type=Path),
    help="SQLite file that keeps the results.",
)
@click.option("--jobs", type=int, help="Candidates judged at once; by default one per core.")
@click.option("--max-examples", default=200, show_default=True, type=int, help="How many cases to draw.")
@click.option("--seed", default=0, show_default=True, type=int, help="Seed: equal seeds draw equal cases.")
@click.option("--strict", is_flag=True, help="Let SHOULD checks decide the verdict too.")
@click.option("--complete", is_flag=True, help="Judge every candidate on all cases, also after the first finding.")
@click.option("--shrink/--no-shrink", default=False, help="Look for the smallest failing cases; with --complete.")
@limit_options(case=10.0)
@click.option(
    "--timeout", default=120.0, show_default=True, type=float, metavar="SECONDS", help="Processor time for all cases."
)
@jail_options
@click.option(
    "--engine",
    default="local",
    show_default=True,
    metavar=f"[{'|'.join(ENGINES)}]",
    help="Where to judge: on this machine, or on a Ray cluster.",
    shell_complete=completion.one_of(*ENGINES),
)
@click.option("--address", help="Address of the Ray cluster; by default, start a local one.")
@click.option(
    "--format",
    "form",
    default="terminal",
    show_default=True,
    metavar=f"[{'|'.join(FORMS)}]",
    help="Output form.",
    shell_complete=completion.one_of(*FORMS),
)
@click.option("--by-candidate", is_flag=True, help="List each candidate, with its status and what it violates.")
@click.option(
    "--write-baseline",
    "until",
    metavar="DAY",
    help=f"Record what is broken today in {baseline.NAME}, as waivers until DAY; with --complete.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the output to this file.")
def grade(
    candidates: str,
    contract: str,
    results: Path,
    jobs: int | None,
    max_examples: int,
    seed: int,
    strict: bool,
    complete: bool,
    shrink: bool,
    case_timeout: float,
    import_timeout: float,
    timeout: float,
    isolation: str | None,
    memory: int,
    pass_env: tuple[str, ...],
    engine: str,
    address: str | None,
    form: str,
    by_candidate: bool,
    until: str | None,
    quiet: bool,
    output: Path | None,
) -> None:
    """Judge many candidates: a folder, a 'glob' or a JSONL file.

    Each line of the JSONL file has an `id` and a `source`. With `-` and --format ndjson, judge JSONL candidates from
    standard input as they come, and answer each with a line.

    `grade` judges a few cases first. A candidate that breaks a MUST check on them is done; all others are judged on the
    rest too. It stores results as they come: if you stop it, the same command continues. With --complete, what the
    project's baseline records does not decide.

    Exit status: 0 if every candidate conforms; 1 if one does not; 2 misuse; 3 if one could not be judged.
    """
    settings = Settings(max_examples, seed, strict, shrink)
    if shrink and not complete:
        raise expected("--complete with --shrink", "--shrink", shrink, SHRINK_FIX)
    with no_hypothesis_folder():
        known_format(form, FORMS)
        stream = service.asked_for(candidates, form, output)
        ends = None if until is None else _ends(until, complete, stream)
        if output:
            writable("--output", output)
        limits = limits_of(case_timeout, import_timeout, seconds("--timeout", timeout))
        checking.validate(settings, contract)
        judges = _engine(engine, address, jobs)
        plan = _plan(contract, settings, limits, jail_of(isolation, memory, pass_env), complete=complete)
        read = [] if stream else submissions.read(candidates)
        with Store(results, create=True) as store:
            status = (
                _served(plan, store, judges, results)
                if stream
                else _graded(read, plan, store, judges, form, output, by_candidate, Console(stderr=True, quiet=quiet))
            )
            if complete and not stream and status in (0, 1, KIT_FAILED):
                baselined = _with_baseline(candidates, store, [each.id for each in read], ends)
                status = KIT_FAILED if status == KIT_FAILED else baselined
    sys.exit(status)


def _ends(until: str, complete: bool, stream: bool) -> datetime.date:
    """The day on which a baseline is to end; it is of all findings of each candidate."""
    if stream or not complete:
        fix = "Name a folder or a list, not `-`." if stream else "Add --complete: a baseline is of all findings."
        raise expected("--complete with --write-baseline", "--write-baseline", until, fix)
    return baseline.day("--write-baseline", until, datetime.date.today())


def _with_baseline(given: str, store: Store, ids: list[str], ends: datetime.date | None) -> int:
    """The exit status of judged candidates once the project's baseline is written, or has excused what it records."""
    project = find(Path.cwd())
    rows = list(store.rows(ids))
    reports = excusing.named_reports(project, given, rows, store)
    if ends:
        with writing("--write-baseline", project.root / baseline.NAME):
            lines = recording.record_named(project, reports, ends)
        click.echo("\n".join(lines), err=True)
        return 0
    excused = excusing.excused(project, reports, datetime.date.today())
    if excused.only:
        click.echo(f"{baseline.NAME} excuses {', '.join(sorted(excused.only))}", err=True)
    for entry in excused.fixed:
        click.echo(f"fixed: {entry}; --write-baseline DAY removes it from {baseline.NAME}", err=True)
    broken = any(report.verdict == Verdict.FAILS and name not in excused.only for name, report in reports)
    return int(broken or bool(excused.fixed))


def _plan(contract: str, settings: Settings, limits: Limits, jail: Jail, *, complete: bool) -> GradingPlan:
    loaded = contracts.get(contract)
    hidden = tuple(contracts.reference_folders(loaded))
    jail = dataclasses.replace(run.settled(jail), reads="libraries", hidden=hidden)
    tier = None if complete else first_tier(loaded)
    return GradingPlan(contract, loaded.version, settings, limits, jail, tier=tier)


def _engine(name: str, address: str | None, jobs: int | None) -> Engine:
    if name not in ENGINES:
        raise expected("an engine", "--engine", name, suggestion(name, ENGINES))
    if jobs is not None and not 1 <= jobs <= MOST_JOBS:
        raise expected(f"a whole number >= 1 and <= {MOST_JOBS}", "--jobs", jobs, "Leave --jobs out for all cores.")
    if name == "ray":
        from nnx_conformance.grading.on_ray import engine

        return engine(address, jobs)
    if address is not None:
        raise expected("--engine ray with an address", "--address", address, "Add --engine ray, or leave it out.")
    from nnx_conformance.grading.local import run as judge_here

    return lambda works, plan: judge_here(works, plan, jobs or run.cores())


def _served(plan: GradingPlan, store: Store, engine: Engine, results: Path) -> int:
    try:
        return service.serve(plan, store, engine, results)
    except KeyboardInterrupt as stopped:
        return ending.status(stopped, KEPT)


def _graded(
    read: list[submissions.Submission],
    plan: GradingPlan,
    store: Store,
    engine: Engine,
    form: str,
    output: Path | None,
    by_candidate: bool,
    screen: Console,
) -> int:
    started = time.monotonic()
    with progress_on(screen) as progress:
        try:
            accounting = run.grade(read, plan, store, engine, progress)
        except KeyboardInterrupt as stopped:
            return ending.status(stopped, KEPT)
    rows = list(store.rows(submission.id for submission in read))
    with console_for(output) as console:
        if form == "terminal":
            if by_candidate:
                listing(rows, console)
            summary(rows, accounting, time.monotonic() - started, console)
        else:
            write_rows(rows, store, form, console)
    return _status(rows)


def _status(rows: list[StoredGrade]) -> int:
    """The exit status: 0 only if every candidate was judged and conforms."""
    statuses = {row.status for row in rows}
    assert statuses <= set(STATUSES)
    if statuses & {*NO_VERDICT, "not run"}:
        return KIT_FAILED
    return int(statuses != {"conforms"})
