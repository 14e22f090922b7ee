"""The command line."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console

from nnx_conformance import as_json, checking, render, stored
from nnx_conformance import contract as contracts
from nnx_conformance.errors import KitError, Misuse, expected
from nnx_conformance.process import Limits
from nnx_conformance.progress import progress_on
from nnx_conformance.report import Report, Settings
from nnx_conformance.target import parse
from nnx_conformance.telling import show_check, show_contract, show_contracts

FORMATS = ("terminal", "json")
MISUSE, KIT_FAILED = 2, 3
NO_VERDICT = "this is no verdict on the candidate"
#: A day.
LONGEST = 86_400


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("nnx-conformance"), prog_name="nnx-conformance")
def cli() -> None:
    """Judge stateful Flax NNX code: which promise it breaks, with the smallest input that shows it.

    Exit status: 0 conforms; 1 does not conform; 2 misuse; 3 the kit failed.
    """


@cli.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("--contract", default="mutability", show_default=True, help="The contract to judge by.")
@click.option("--max-examples", default=200, show_default=True, type=int, help="Cases of the core domain.")
@click.option("--seed", default=0, show_default=True, type=int, help="Seed of the drawing; the same draws the same.")
@click.option("--strict", is_flag=True, help="Let SHOULD checks decide the verdict too.")
@click.option("--check", "checks", multiple=True, metavar="ID", help="Report only this check; may be given again.")
@click.option("--no-shrink", is_flag=True, help="Report the first failing case instead of the smallest.")
@click.option("--case-timeout", default=30.0, show_default=True, type=float, help="Seconds for one case.")
@click.option("--timeout", default=600.0, show_default=True, type=float, help="Seconds for one candidate.")
@click.option("--format", "form", default="terminal", show_default=True, metavar="[terminal|json]", help="Output form.")
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
    form: str,
    output: Path | None,
) -> None:
    """Judge each TARGET: path.py, path.py::name or package.module:name.

    Findings are stored in .nnx-conformance, from where `replay` runs them again.
    """
    settings = Settings(max_examples, seed, strict, not no_shrink, checks)
    with _exit_statuses(), _no_folder_of_hypothesis():
        limits = Limits(_seconds("--case-timeout", case_timeout), _seconds("--timeout", timeout))
        _known_format(form)
        _writable(output)
        for target in targets:
            parse(target)
        reports = [_judged(target, contract, settings, limits) for target in targets]
        with _opened(output) as console:
            _write(reports, form, console)
    sys.exit(max(report.exit_status for report in reports))


def _judged(target: str, contract: str, settings: Settings, limits: Limits) -> Report:
    with progress_on(Console(stderr=True), target) as progress:
        return stored.with_replays(checking.judge_target(target, contract, settings, limits, progress))


def _write(reports: list[Report], form: str, console: Console) -> None:
    if form == "json":
        console.file.write(as_json.document(reports))
        return
    for report in reports:
        render.show(report, console)
    if len(reports) > 1:
        render.summary(reports, console)


def _known_format(form: str) -> None:
    if form not in FORMATS:
        raise expected("a known format", "--format", form, f"Known: {', '.join(FORMATS)}.")


def _seconds(option: str, value: float) -> float:
    if not 0 < value <= LONGEST:
        raise expected(
            f"a number of seconds > 0 and <= {LONGEST}", option, value, f"Leave {option} out for its default."
        )
    return value


def _writable(output: Path | None) -> None:
    """Find out before the work is done that its result cannot be written."""
    if output is None:
        return
    try:
        with output.open("a"):
            pass
    except OSError as error:
        raise expected("a file that can be written", "--output", str(output), f"{error.strerror}.") from error


@contextmanager
def _opened(output: Path | None) -> Iterator[Console]:
    if output is None:
        yield Console(highlight=False, soft_wrap=False)
        return
    with output.open("w") as file:
        yield Console(file=file, highlight=False, width=100)


@contextmanager
def _no_folder_of_hypothesis() -> Iterator[None]:
    """Keep Hypothesis from leaving `.hypothesis` where the user is: without a database it still stores constants."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", folder)
        yield


@cli.command()
@click.argument("file")
def replay(file: str) -> None:
    """Run a stored finding again: still violated (1), mended (0), or cannot be replayed (3)."""
    from nnx_conformance.replaying import replay as run_again

    with _exit_statuses():
        found = stored.read(file)
        replayed = run_again(found)
        console = Console(highlight=False, markup=False)
        console.print(f"{found.check} of {found.target}: {replayed.outcome}", style="bold")
        console.print(f"  {replayed.why}")
        console.print(f"  case  {found.case}")
    sys.exit({"mended": 0, "still violated": 1, "cannot be replayed": KIT_FAILED}[replayed.outcome])


@cli.command(name="contracts")
@click.argument("name", required=False)
def list_contracts(name: str | None) -> None:
    """List the installed contracts, or the checks of one."""
    with _exit_statuses():
        console = Console(highlight=False)
        if name is None:
            show_contracts(console)
        else:
            show_contract(contracts.get(name), console)


@cli.command()
@click.argument("check_id", metavar="CHECK")
@click.option("--contract", default=None, help="Where to look for it; every installed contract if left out.")
def explain(check_id: str, contract: str | None) -> None:
    """Tell what a check asks for, with a wrong example, a right one, and the remedy."""
    with _exit_statuses():
        show_check(check_id, contract, Console(highlight=False))


@contextmanager
def _exit_statuses() -> Iterator[None]:
    """Turn misuse into exit status 2, and a failure of the kit into 3, each with one message."""
    try:
        yield
    except Misuse as error:
        click.echo(f"nnx-conformance: {error}", err=True)
        sys.exit(MISUSE)
    except KitError as error:
        click.echo(f"nnx-conformance: the kit failed, {NO_VERDICT}. {error}", err=True)
        sys.exit(KIT_FAILED)
    except Exception:  # noqa: BLE001 - status 1 would say that the candidate does not conform
        click.echo(f"nnx-conformance: the kit failed, {NO_VERDICT}. {traceback.format_exc()}", err=True)
        sys.exit(KIT_FAILED)
