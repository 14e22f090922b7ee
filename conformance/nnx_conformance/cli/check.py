"""`nnx-conformance check`."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from nnx_conformance.cli import completion
from nnx_conformance.cli.options import (
    feedback_of,
    feedback_option,
    jail_of,
    jail_options,
    limit_options,
    limits_of,
    progress_on,
    seconds,
    writing,
)
from nnx_conformance.cli.outputs import format_option, outputs, write
from nnx_conformance.cli.statuses import explained
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.contract import Check, Violation
from nnx_conformance.core.errors import KitError, Misuse, expected
from nnx_conformance.core.report import Report, Settings
from nnx_conformance.project import baseline, candidates, checking, recording, tracks
from nnx_conformance.project.checking import CheckOptions, no_hypothesis_folder
from nnx_conformance.project.settings import Project, find
from nnx_conformance.project.subject_lists import expanded
from nnx_conformance.project.tracks import Solution
from nnx_conformance.reports import feedback as feedback_levels
from nnx_conformance.reports.terminal import animated
from nnx_conformance.reports.wording import first_finding

NO_TARGET = (
    "Missing argument 'TARGET...'. Name what to judge, or set `candidates` in [tool.nnx-conformance] of pyproject.toml."
)


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...", shell_complete=completion.files)
@click.option(
    "--contract",
    help="Contract to judge by.  [settings, or mutability]",
    shell_complete=completion.contract_names,
)
@click.option(
    "--track",
    metavar="NAME",
    help="Judge a folder of solutions, one file for each contract of the track.",
    shell_complete=completion.track_names,
)
@click.option("--max-examples", type=int, help="How many cases to draw.  [settings, or 200]")
@click.option("--seed", default=0, show_default=True, type=int, help="Seed: equal seeds draw equal cases.")
@click.option("--strict/--no-strict", default=None, help="Let SHOULD checks decide the verdict too.  [settings, or no]")
@click.option(
    "--check",
    "checks",
    multiple=True,
    metavar="ID",
    help="Report only this check; may be given again.",
    shell_complete=completion.checks,
)
@click.option("--no-shrink", is_flag=True, help="Report the first failing case, not the smallest.")
@limit_options(case=30.0)
@click.option(
    "--timeout", default=600.0, show_default=True, type=float, metavar="SECONDS", help="Processor time for all cases."
)
@jail_options
@click.option(
    "--cache", "cached", is_flag=True, help="Judge only what changed; keep verdicts in .nnx-conformance/cache."
)
@format_option
@feedback_option
@click.option(
    "--write-baseline",
    "until",
    metavar="DAY",
    help=f"Waive until DAY what is broken today, in {baseline.NAME}; drop what is fixed.",
)
@click.option("-v", "--verbose", is_flag=True, help="List the checks that hold; show chex's words for the others.")
@click.option("-q", "--quiet", is_flag=True, help="Print only findings, and no progress.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the report to this file.")
def check(
    targets: tuple[str, ...],
    contract: str | None,
    track: str | None,
    max_examples: int | None,
    seed: int,
    strict: bool | None,
    checks: tuple[str, ...],
    no_shrink: bool,
    case_timeout: float,
    import_timeout: float,
    timeout: float,
    isolation: str | None,
    memory: int,
    pass_env: tuple[str, ...],
    cached: bool,
    forms: tuple[str, ...],
    feedback: str,
    until: str | None,
    verbose: bool,
    quiet: bool,
    output: Path | None,
) -> None:
    """Judge each TARGET: a file, notebook, function or module.

    A TARGET is path.py, path.ipynb, path.py::name or package.module:name; with --track, a folder. Without one, judge
    the candidates that [tool.nnx-conformance] of pyproject.toml names. Options override settings.

    `check` stores findings in .nnx-conformance; `replay` runs them again.
    """
    project = find(Path.cwd())
    targets = targets or candidates.named(project)
    targets = targets if track else expanded(targets, contract or project.contract)
    if not targets:
        raise click.UsageError(NO_TARGET)
    with no_hypothesis_folder():
        settings = _settings(project, max_examples, strict, Settings(seed=seed, shrink=not no_shrink, checks=checks))
        limits = limits_of(case_timeout, import_timeout, seconds("--timeout", timeout))
        jail = jail_of(isolation, memory, pass_env)
        solutions = () if track is None else _solutions(track, targets, contract, checks)
        for target in () if solutions else targets:
            parse(target)
        ends = None if until is None else _ends(until, track, checks)
        if ends:  # what the baseline excuses is judged anew
            project = recording.without_baseline(project)
        if verbose and quiet:
            raise expected("one of --verbose and --quiet", "--quiet", quiet, "Leave one of them out.")
        shown = feedback_of(feedback)
        wanted = outputs(forms, output)
        jail = jail_of(isolation or project.isolation, memory, pass_env)
        options = CheckOptions(project, contract or project.contract, settings, limits, cached, jail)
        checking.validate(options, [each.path for each in solutions if each.exists] or targets)
        todo = [functools.partial(_solved, options, each, quiet=quiet) for each in solutions]
        todo = todo or [functools.partial(_judged, options, target, quiet=quiet) for target in targets]
        reports, status = _each(todo)
        if ends:
            sys.exit(_write_baseline(project, reports, ends, status))
        if reports:
            detail = "verbose" if verbose else "quiet" if quiet else "normal"
            limited = [feedback_levels.limited(report, shown) for report in reports]
            write(limited, wanted, detail=detail, points=project.points)
    sys.exit(status)


def _ends(until: str, track: str | None, checks: tuple[str, ...]) -> datetime.date:
    """The last day of a new baseline, which records all checks of each candidate."""
    for option, given in (("--track", track), ("--check", checks)):
        if given:
            raise expected(f"no {option} with --write-baseline", option, given, f"Leave out {option}.")
    return baseline.day("--write-baseline", until, datetime.date.today())


def _write_baseline(project: Project, reports: list[Report], ends: datetime.date, status: int) -> int:
    """Write the baseline and print what changed. The exit status: 0 if every candidate was judged."""
    with writing("--write-baseline", project.root / baseline.NAME):
        lines = recording.record(project, reports, ends)
    click.echo("\n".join(lines))
    return 0 if status < 2 and not any(report.failure for report in reports) else status


def _settings(project: Project, max_examples: int | None, strict: bool | None, others: Settings) -> Settings:
    """The options' values, or the project's settings for options that were not given."""
    return dataclasses.replace(
        others,
        max_examples=project.max_examples if max_examples is None else max_examples,
        strict=project.strict if strict is None else strict,
    )


def _solutions(
    track: str, targets: tuple[str, ...], contract: str | None, checks: tuple[str, ...]
) -> tuple[Solution, ...]:
    """The solutions in the one given folder, one for each contract of a track."""
    if len(targets) != 1:
        raise expected("one folder with --track", "targets", targets, "Judge each folder with its own command.")
    for option, given in (("--contract", contract), ("--check", checks)):
        if given:
            raise expected(f"no {option} with --track", option, given, f"Leave out {option}, or --track.")
    return tracks.solutions(tracks.get(track), targets[0])


def _each(todo: Iterable[Callable[[], Report]]) -> tuple[list[Report], int]:
    """The reports of the candidates that load, and the exit status; prints once why each other does not load."""
    reports, statuses, printed = list[Report](), list[int](), set[str]()
    for judged in todo:
        try:
            reports.append(judged())
        except (Misuse, KitError) as error:
            status, text = explained(error)
            statuses.append(status)
            if text not in printed:
                click.echo(f"nnx-conformance: {text}", err=True)
            printed.add(text)
    return reports, max([*statuses, *(report.exit_status for report in reports)])


def _solved(options: CheckOptions, solution: Solution, *, quiet: bool) -> Report:
    if not solution.exists:
        return tracks.missing(solution, options.settings)
    return _judged(dataclasses.replace(options, contract=solution.contract), solution.path, quiet=quiet)


def _judged(options: CheckOptions, target: str, *, quiet: bool) -> Report:
    screen = Console(stderr=True, quiet=quiet)

    def show(violated: Check, violation: Violation) -> None:
        screen.print(Text(first_finding(violated, violation), "red"), soft_wrap=True)

    def notify(text: str) -> None:
        if not quiet:
            click.echo(text, err=True)

    with progress_on(screen, target) as progress:
        return checking.judged(options, target, progress, notify, show if animated(screen) else None)
