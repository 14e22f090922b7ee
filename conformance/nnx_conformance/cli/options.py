"""Options that several commands share, their validation, and the progress bar."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from nnx_conformance.cli import completion
from nnx_conformance.core.errors import expected, suggestion
from nnx_conformance.process import session
from nnx_conformance.process.limits import FACTOR, Limits
from nnx_conformance.reports.feedback import LEVELS as FEEDBACK
from nnx_conformance.reports.feedback import Feedback
from nnx_conformance.reports.terminal import animated
from nnx_conformance.sandbox.jail import LEVELS, MIB, Jail, Level

#: A day, in seconds.
LONGEST = 86_400
LEAST_MIB, MOST_MIB = 512, 1024 * 1024


def seconds(option: str, value: float) -> float:
    """A positive number of seconds, of at most a day."""
    if not 0 < value <= LONGEST:
        raise expected(
            f"a number of seconds > 0 and <= {LONGEST}", option, value, f"Leave {option} out for its default."
        )
    return value


@contextmanager
def writing(option: str, output: Path) -> Iterator[None]:
    """Turn a failing write into misuse that names the option."""
    try:
        yield
    except OSError as error:
        raise expected("a file that can be written", option, str(output), f"{error.strerror}.") from error


def writable(option: str, output: Path) -> None:
    """Raise `Misuse` before the work if its result cannot be written; leaves no new file behind."""
    new = not output.exists()
    with writing(option, output), output.open("a"):
        pass
    if new:
        output.unlink()


def limit_options(case: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--case-timeout`, of so many seconds by default, and `--import-timeout` to a command."""
    long = f"Processor time for one case; at least {FACTOR:g} times what the contract's right candidate takes."
    timeout = functools.partial(click.option, show_default=True, type=float, metavar="SECONDS")

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        command = timeout("--import-timeout", default=180.0, help="Processor time for importing a candidate.")(command)
        return timeout("--case-timeout", default=case, help=long)(command)

    return add


def limits_of(case: float, load: float, run: float) -> Limits:
    """The limits that these options ask for, and `run` seconds for all cases.

    Raises:
        Misuse: if they are no times.
    """
    return Limits(seconds("--case-timeout", case), run, seconds("--import-timeout", load))


def jail_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--isolation`, `--memory` and `--pass-env` to a command."""
    options = (
        click.option(
            "--isolation",
            metavar=f"[{'|'.join(LEVELS)}]",
            help="How to jail candidates; by default as strictly as the host allows.",
            shell_complete=completion.one_of(*LEVELS),
        ),
        click.option(
            "--memory",
            default=2048,
            show_default=True,
            type=int,
            metavar="MIB",
            help="Memory for the data of one candidate.",
        ),
        click.option("--pass-env", multiple=True, metavar="NAME", help="Pass this environment variable to candidates."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def jail_of(isolation: str | None, memory: int, pass_env: tuple[str, ...]) -> Jail:
    """The jail that the options ask for.

    Raises:
        Misuse: if they mean none.
    """
    if not LEAST_MIB <= memory <= MOST_MIB:
        what = f"a number of MiB >= {LEAST_MIB} (JAX does not run with less) and <= {MOST_MIB}"
        raise expected(what, "--memory", memory, "Leave --memory out for 2048.")
    return Jail(level=_level(isolation), memory=memory * MIB, pass_env=pass_env)


def _level(isolation: str | None) -> Level | Literal[""]:
    if isolation is None:
        return ""
    for level in LEVELS:
        if isolation == level:
            return level
    raise expected("a level of isolation", "--isolation", isolation, suggestion(isolation, LEVELS))


def feedback_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--feedback` to a command."""
    option = click.option(
        "--feedback",
        default="full",
        show_default=True,
        metavar=f"[{'|'.join(FEEDBACK)}]",
        help="How much of a report students see.",
        shell_complete=completion.one_of(*FEEDBACK),
    )
    return option(command)


def feedback_of(text: str) -> Feedback:
    """How much of a report to write.

    Raises:
        Misuse: if it is none of what there is.
    """
    for level in FEEDBACK:
        if text == level:
            return level
    raise expected("a kind of feedback", "--feedback", text, suggestion(text, FEEDBACK))


@contextmanager
def progress_on(console: Console, target: str) -> Iterator[session.Progress]:
    """Show progress in one line, which disappears at the end and on an interrupt."""
    texts = (TextColumn("{task.fields[target]}", markup=False), TextColumn("{task.description}"))
    columns = (*texts, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not animated(console)) as bar:
        task = bar.add_task("starting", total=None, target=target)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)
