"""`nnx-conformance watch`: judge, and judge again whenever a file is saved."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from nnx_conformance.cli import completion
from nnx_conformance.cli.options import jail_of, jail_options, limit_options, limits_of, progress_on, seconds
from nnx_conformance.cli.statuses import explained
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.errors import KitError, Misuse
from nnx_conformance.core.report import Report, Settings
from nnx_conformance.project import candidates, checking
from nnx_conformance.project.checking import CheckOptions, no_hypothesis_folder
from nnx_conformance.project.settings import find
from nnx_conformance.project.watching import WatchedTarget, change
from nnx_conformance.reports import terminal

INSTALL = "pip install 'nnx-conformance[watch]'"
#: Gives whenever something in the folders has changed, or may have.
Changes = Callable[[Iterable[Path]], Iterator[Any]]
#: Milliseconds after which what no event has told is looked for.
LATE = 1000
COLOURS = {"fixed": "green", "new": "red", "still there": "yellow"}


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...", shell_complete=completion.files)
@click.option(
    "--contract", help="Contract to judge by.  [settings, or mutability]", shell_complete=completion.contract_names
)
@click.option("--max-examples", type=int, help="How many cases to draw.  [settings, or 200]")
@click.option("--seed", default=0, show_default=True, type=int, help="Seed: equal seeds draw equal cases.")
@click.option("--strict/--no-strict", default=None, help="Let SHOULD checks decide the verdict too.  [settings, or no]")
@limit_options(case=30.0)
@click.option(
    "--timeout", default=600.0, show_default=True, type=float, metavar="SECONDS", help="Processor time for all cases."
)
@jail_options
@click.option("-q", "--quiet", is_flag=True, help="Print only findings, and no progress.")
def watch(
    targets: tuple[str, ...],
    contract: str | None,
    max_examples: int | None,
    seed: int,
    strict: bool | None,
    case_timeout: float,
    import_timeout: float,
    timeout: float,
    isolation: str | None,
    memory: int,
    pass_env: tuple[str, ...],
    quiet: bool,
) -> None:
    """Judge each TARGET again whenever it is saved.

    Judges as `check` does, at once and whenever a TARGET or a file that it imports is saved. Ctrl-C ends it. Without a
    TARGET, watch the candidates that [tool.nnx-conformance] of pyproject.toml names.

    Exit status: 0 when Ctrl-C ends it; 2 misuse; 3 the kit failed.
    """
    changes = _watcher()
    project = find(Path.cwd())
    targets = targets or candidates.named(project)
    if not targets:
        raise click.UsageError("Missing argument 'TARGET...'. Name what to watch, or set `candidates` in the settings.")
    for target in targets:
        parse(target)
    with no_hypothesis_folder():
        settings = Settings(
            project.max_examples if max_examples is None else max_examples,
            seed,
            project.strict if strict is None else strict,
        )
        limits = limits_of(case_timeout, import_timeout, seconds("--timeout", timeout))
        jail = jail_of(isolation or project.isolation, memory, pass_env)
        options = CheckOptions(project, contract or project.contract, settings, limits, jail=jail)
        checking.validate(options, targets)
        try:
            _watch(options, targets, changes, quiet=quiet)
        except KeyboardInterrupt:
            click.echo("nnx-conformance: no longer watching", err=True)
    sys.exit(0)


def _watcher() -> Changes:
    try:
        import watchfiles
    except ModuleNotFoundError as error:
        if error.name != "watchfiles":
            raise
        raise Misuse(f"`watch` needs watchfiles, which is not installed. Install it: {INSTALL}.") from error
    # What is saved before the watcher stands, or while it moves to other folders, is noticed at its next time-out.
    return lambda folders: watchfiles.watch(
        *folders, watch_filter=None, recursive=False, rust_timeout=LATE, yield_on_timeout=True
    )


def _watch(options: CheckOptions, targets: Iterable[str], changes: Changes, *, quiet: bool) -> None:
    from nnx_conformance.judging.drawn import Warm
    from nnx_conformance.process.fork_server import ForkServer

    watched = [WatchedTarget(target, options.project.packages) for target in dict.fromkeys(targets)]
    screen = Console(highlight=False)
    reports: dict[str, Report] = {}
    with ForkServer(options.jail) as fork_server:
        options = dataclasses.replace(options, warm=Warm(fork_server))
        for each in watched:
            _judge(options, each, reports, screen, quiet=quiet)
        while True:
            folders = {folder for each in watched for folder in each.folders if folder.is_dir()}
            for _ in changes(folders):
                for each in watched:
                    if each.look():
                        _judge(options, each, reports, screen, quiet=quiet)
                if not {folder for each in watched for folder in each.folders if folder.is_dir()} <= folders:
                    break  # it now imports from elsewhere


def _judge(
    options: CheckOptions, watched: WatchedTarget, reports: dict[str, Report], screen: Console, *, quiet: bool
) -> None:
    """Judge one candidate and print what changed, or why it cannot be judged now."""
    target = watched.target
    if watched.gone:
        names = ", ".join(file.name for file in watched.gone)
        screen.print(f"{names} is gone; {target} is judged again when it is back", markup=False, soft_wrap=True)
        return
    try:
        with progress_on(Console(stderr=True, quiet=quiet), target) as progress:
            report = checking.judged(options, target, progress)
    except (Misuse, KitError) as error:
        click.echo(f"nnx-conformance: {explained(error)[1]}", err=True)
        return
    terminal.write([report], sys.stdout, "quiet" if quiet else "normal")
    if (before := reports.get(target)) is not None:
        for name, checks in vars(change(before, report)).items():
            words = name.replace("_", " ")
            if checks:
                screen.print(Text(f"  {words:13}{', '.join(checks)}", COLOURS[words]), soft_wrap=True)
    reports[target] = report
    screen.print(Text(f"watching {target}; Ctrl-C ends it", "dim"), soft_wrap=True)
