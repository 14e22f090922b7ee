"""`nnx-conformance check`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from nnx_conformance import checking, stored
from nnx_conformance.commands.exits import exit_statuses
from nnx_conformance.commands.jailing import jail_of, jail_options
from nnx_conformance.commands.options import no_folder_of_hypothesis, seconds
from nnx_conformance.commands.outputs import FORMATS_HELP, outputs, write
from nnx_conformance.isolation.jail import Jail
from nnx_conformance.process import Limits
from nnx_conformance.progress import progress_on
from nnx_conformance.report import Report, Settings
from nnx_conformance.target import parse


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("--contract", default="mutability", show_default=True, help="The contract to judge by.")
@click.option("--max-examples", default=200, show_default=True, type=int, help="Cases of the core domain.")
@click.option("--seed", default=0, show_default=True, type=int, help="Seed of the drawing; the same draws the same.")
@click.option("--strict", is_flag=True, help="Let SHOULD checks decide the verdict too.")
@click.option("--check", "checks", multiple=True, metavar="ID", help="Report only this check; may be given again.")
@click.option("--no-shrink", is_flag=True, help="Report the first failing case instead of the smallest.")
@click.option("--case-timeout", default=30.0, show_default=True, type=float, help="Seconds for one case.")
@click.option("--timeout", default=600.0, show_default=True, type=float, help="Seconds for one candidate.")
@jail_options
@click.option("--format", "forms", multiple=True, metavar="NAME[=FILE]", help=FORMATS_HELP)
@click.option("--output", type=click.Path(path_type=Path), help="Write the report to this file.")
def check(
    targets: tuple[str, ...],
    contract: str,
    max_examples: int,
    seed: int,
    strict: bool,
    checks: tuple[str, ...],
    no_shrink: bool,
    case_timeout: float,
    timeout: float,
    isolation: str | None,
    memory: int,
    pass_env: tuple[str, ...],
    forms: tuple[str, ...],
    output: Path | None,
) -> None:
    """Judge each TARGET: path.py, path.py::name or package.module:name.

    Findings are stored in .nnx-conformance, from where `replay` runs them again.
    """
    settings = Settings(max_examples, seed, strict, not no_shrink, checks)
    with exit_statuses(), no_folder_of_hypothesis():
        limits = Limits(seconds("--case-timeout", case_timeout), seconds("--timeout", timeout))
        jail = jail_of(isolation, memory, pass_env)
        for target in targets:
            parse(target)
        wanted = outputs(forms, output)
        reports = [_judged(target, contract, settings, limits, jail) for target in targets]
        write(reports, wanted)
    sys.exit(max(report.exit_status for report in reports))


def _judged(target: str, contract: str, settings: Settings, limits: Limits, jail: Jail) -> Report:
    with progress_on(Console(stderr=True), target) as progress:
        return stored.with_replays(checking.judge_target(target, contract, settings, limits, progress, jail))
