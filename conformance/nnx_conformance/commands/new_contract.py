"""`nnx-conformance new-contract`."""

from __future__ import annotations

from pathlib import Path

import click

from nnx_conformance import authoring
from nnx_conformance.commands.exits import exit_statuses


@click.command(name="new-contract")
@click.argument("name")
@click.option("--into", type=click.Path(path_type=Path), help="The folder to write.  [NAME]")
def new_contract(name: str, into: Path | None) -> None:
    """Write a package that holds a small contract with its test, to be rewritten into yours."""
    with exit_statuses():
        folder = into or Path(name)
        for path in authoring.write(name, folder):
            click.echo(f"written: {path}")
        click.echo(f"next: cd {folder} && pip install -e '.[test]' && pytest")
