"""`nnx-conformance replay`."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from nnx_conformance import stored
from nnx_conformance.commands.exits import KIT_FAILED, exit_statuses
from nnx_conformance.commands.jailing import jail_of, jail_options


@click.command()
@click.argument("file")
@jail_options
def replay(file: str, isolation: str | None, memory: int, pass_env: tuple[str, ...]) -> None:
    """Run a stored finding again: still violated (1), mended (0), or cannot be replayed (3)."""
    from nnx_conformance.replaying import replay as run_again

    with exit_statuses():
        found = stored.read(file)
        replayed = run_again(found, jail=jail_of(isolation, memory, pass_env))
        console = Console(highlight=False, markup=False)
        console.print(f"{found.check} of {found.target}: {replayed.outcome}", style="bold")
        console.print(f"  {replayed.why}")
        console.print(f"  case  {found.case}")
    sys.exit({"mended": 0, "still violated": 1, "cannot be replayed": KIT_FAILED}[replayed.outcome])
