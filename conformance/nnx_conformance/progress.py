"""A progress line for long runs, where there is a terminal to show it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from nnx_conformance import session


@contextmanager
def progress_on(console: Console, target: str) -> Iterator[session.Progress]:
    """Show how far judging has come; nothing is left on the screen afterwards, nothing is shown without a terminal."""
    columns = (TextColumn("{task.fields[target]}"), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=None, target=target)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)
