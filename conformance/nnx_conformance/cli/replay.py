"""`nnx-conformance replay`."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from nnx_conformance.cli import completion
from nnx_conformance.cli.options import jail_of, jail_options
from nnx_conformance.cli.statuses import KIT_FAILED
from nnx_conformance.project import stored_findings


@click.command()
@click.argument("file", shell_complete=completion.files)
@jail_options
def replay(file: str, isolation: str | None, memory: int, pass_env: tuple[str, ...]) -> None:
    """Run a stored finding again.

    Exit status: 0 fixed; 1 still violated; 2 misuse; 3 the finding cannot be replayed.
    """
    from nnx_conformance.project.replay import replay as run_again

    stored = stored_findings.read(file)
    replayed = run_again(stored, jail=jail_of(isolation, memory, pass_env))
    console = Console(highlight=False, markup=False)
    console.print(f"{stored.check} of {stored.target}: {replayed.outcome}", style="bold")
    console.print(f"  {replayed.why}")
    console.print(f"  case  {stored.case}")
    sys.exit({"fixed": 0, "still violated": 1, "cannot be replayed": KIT_FAILED}[replayed.outcome])
