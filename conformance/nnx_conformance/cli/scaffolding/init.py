"""`nnx-conformance init`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from nnx_conformance.cli import completion
from nnx_conformance.cli.scaffolding import scaffold
from nnx_conformance.cli.statuses import MISUSE
from nnx_conformance.core import contracts
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.errors import expected, suggestion

COLOURS = {"create": "green", "add to": "green", "leave": "yellow"}


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...", shell_complete=completion.files)
@click.option(
    "--contract",
    default="mutability",
    show_default=True,
    help="Contract to judge by.",
    shell_complete=completion.contract_names,
)
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
def init(targets: tuple[str, ...], contract: str, yes: bool, dry_run: bool) -> None:
    """Set up the gate for TARGET... in the current folder.

    Settings in pyproject.toml, a tox environment, a pre-commit entry and a CI workflow. What is written is shown first;
    what is there already is left.
    """
    root, console = Path.cwd(), Console(highlight=False)
    if contract not in contracts.names():
        fix = suggestion(contract, contracts.names())
        raise expected("the name of an installed contract", "--contract", contract, fix)
    for target in targets:
        parse(target)
    planned = scaffold.steps(root, contract, targets)
    for step in planned:
        why = f": {step.why}" if step.why else ""
        console.print(Text.assemble((step.kind, COLOURS[step.kind]), f" {step.path}{why}"), soft_wrap=True)
        for line in step.text.strip("\n").splitlines():
            console.print(Text(f"    {line}"), soft_wrap=True)
        console.print()
    todo = [step for step in planned if step.kind != "leave"]
    if dry_run or not todo:
        console.print("nothing is written" if dry_run else "nothing to write")
        return
    if not yes and not _agreed():
        click.echo("nothing is written", err=True)
        sys.exit(MISUSE)
    for step in todo:
        scaffold.write(root, step)
        console.print(f"written: {step.path}", soft_wrap=True)


def _interactive() -> bool:
    return sys.stdin.isatty()


def _agreed() -> bool:
    if not _interactive():
        click.echo("nnx-conformance: there is no terminal to ask; give --yes to write this.", err=True)
        return False
    return click.confirm("Write this?")
