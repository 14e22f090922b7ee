"""`nnx-conformance check`."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import click
from rich.console import Console

from nnx_conformance import candidates, submission, tracks
from nnx_conformance.commands.exits import exit_statuses
from nnx_conformance.commands.jailing import jail_of, jail_options
from nnx_conformance.commands.options import seconds
from nnx_conformance.commands.outputs import FORMATS_HELP, outputs, write
from nnx_conformance.errors import expected
from nnx_conformance.hypothesis_folder import out_of_sight
from nnx_conformance.process import Limits
from nnx_conformance.progress import progress_on
from nnx_conformance.project import Project, find
from nnx_conformance.report import Report, Settings
from nnx_conformance.submission import Submission
from nnx_conformance.target import parse
from nnx_conformance.tracks import Solution

NO_TARGET = (
    "Missing argument 'TARGET...'. Name what to judge, or set `candidates` in [tool.nnx-conformance] of pyproject.toml."
)


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("--contract", help="The contract to judge by.  [settings, or mutability]")
@click.option("--track", metavar="NAME", help="Judge a folder of solutions, one file for each contract of the track.")
@click.option("--max-examples", type=int, help="Cases of the core domain.  [settings, or 200]")
@click.option("--seed", default=0, show_default=True, type=int, help="Seed of the drawing; the same draws the same.")
@click.option("--strict/--no-strict", default=None, help="Let SHOULD checks decide the verdict too.  [settings, or no]")
@click.option("--check", "checks", multiple=True, metavar="ID", help="Report only this check; may be given again.")
@click.option("--no-shrink", is_flag=True, help="Report a failing case as it was met, not the smallest.")
@click.option("--case-timeout", default=30.0, show_default=True, type=float, help="Seconds for one case.")
@click.option("--timeout", default=600.0, show_default=True, type=float, help="Seconds for one candidate.")
@jail_options
@click.option(
    "--cache", "cached", is_flag=True, help="Do not judge again what has not changed, see .nnx-conformance/cache."
)
@click.option("--format", "forms", multiple=True, metavar="NAME[=FILE]", help=FORMATS_HELP)
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
    timeout: float,
    isolation: str | None,
    memory: int,
    pass_env: tuple[str, ...],
    cached: bool,
    forms: tuple[str, ...],
    output: Path | None,
) -> None:
    """Judge each TARGET: path.py, path.py::name or package.module:name; with --track, a folder.

    Without one, judge the candidates that [tool.nnx-conformance] of pyproject.toml names. Options go before settings.
    Findings are stored in .nnx-conformance, from where `replay` runs them again.
    """
    with exit_statuses():
        project = find(Path.cwd())
        targets = targets or candidates.named(project)
    if not targets:
        raise click.UsageError(NO_TARGET)
    with exit_statuses(), out_of_sight():
        settings = _settings(project, max_examples, strict, Settings(seed=seed, shrink=not no_shrink, checks=checks))
        limits = Limits(seconds("--case-timeout", case_timeout), seconds("--timeout", timeout))
        jail = jail_of(isolation, memory, pass_env)
        solutions = () if track is None else _solutions(track, targets, contract, checks)
        for target in () if solutions else targets:
            parse(target)
        wanted = outputs(forms, output)
        jail = jail_of(isolation or project.isolation, memory, pass_env)
        submitted = Submission(project, contract or project.contract, settings, limits, cached, jail)
        submission.validate(submitted, [one.path for one in solutions if one.found] or targets)
        reports = [_solved(submitted, one) for one in solutions] or [_judged(submitted, target) for target in targets]
        write(reports, wanted)
    sys.exit(max(report.exit_status for report in reports))


def _settings(project: Project, max_examples: int | None, strict: bool | None, others: Settings) -> Settings:
    """What the options ask for, and the project's settings where they ask for nothing."""
    return dataclasses.replace(
        others,
        max_examples=project.max_examples if max_examples is None else max_examples,
        strict=project.strict if strict is None else strict,
    )


def _solutions(
    track: str, targets: tuple[str, ...], contract: str | None, checks: tuple[str, ...]
) -> tuple[Solution, ...]:
    """The files of the one folder that is given, for the contracts of a track."""
    if len(targets) != 1:
        raise expected("one folder with --track", "targets", targets, "Judge each folder by a command of its own.")
    for option, given in (("--contract", contract), ("--check", checks)):
        if given:
            raise expected(f"no {option} beside --track", option, given, f"Leave out {option}, or --track.")
    return tracks.solutions(tracks.get(track), targets[0])


def _solved(submitted: Submission, solution: Solution) -> Report:
    if not solution.found:
        return tracks.missing(solution, submitted.settings)
    return _judged(dataclasses.replace(submitted, contract=solution.contract), solution.path)


def _judged(submitted: Submission, target: str) -> Report:
    with progress_on(Console(stderr=True), target) as progress:
        return submission.judged(submitted, target, progress, lambda text: click.echo(text, err=True))
