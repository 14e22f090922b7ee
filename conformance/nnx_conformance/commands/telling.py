"""`nnx-conformance contracts` and `explain`: what is promised."""

from __future__ import annotations

import click
from rich.console import Console

from nnx_conformance import contract as contracts
from nnx_conformance.commands.exits import exit_statuses
from nnx_conformance.telling import show_check, show_contract, show_contracts


@click.command(name="contracts")
@click.argument("name", required=False)
def list_contracts(name: str | None) -> None:
    """List the installed contracts, or the checks of one."""
    with exit_statuses():
        console = Console(highlight=False)
        if name is None:
            show_contracts(console)
        else:
            show_contract(contracts.get(name), console)


@click.command()
@click.argument("check_id", metavar="CHECK")
@click.option("--contract", default=None, help="Where to look for it; every installed contract if left out.")
def explain(check_id: str, contract: str | None) -> None:
    """Tell what a check asks for, with a wrong example, a right one, and the remedy."""
    with exit_statuses():
        show_check(check_id, contract, Console(highlight=False))
