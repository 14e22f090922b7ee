"""`nnx-conformance contracts` and `explain`: the promises of contracts and checks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from nnx_conformance.cli import completion
from nnx_conformance.core import contracts
from nnx_conformance.core.contract import Check, Contract
from nnx_conformance.core.current import current_check, installed
from nnx_conformance.core.errors import Misuse, expected, suggestion
from nnx_conformance.project import tracks
from nnx_conformance.project.tracks import Track


def show_contracts(console: Console) -> None:
    """Print the installed contracts and tracks, each with its distribution.

    Raises:
        Misuse: after the others were shown, if one does not load.
    """
    broken: list[Misuse] = []
    for name, entry_point in sorted(contracts.names().items()):
        origin = entry_point.dist.name if entry_point.dist else "unknown"
        try:
            contract = contracts.get(name)
        except Misuse as error:
            broken.append(error)
            console.print(Text.assemble((name, "bold red"), f"  does not load, from {origin}"))
            continue
        about = f"  version {contract.version}, {len(contract.checks)} checks, from {origin}"
        console.print(Text.assemble((name, "bold"), about))
        console.print(Padding(Text(contract.title), (0, 0, 0, 2), expand=False))
    for name in sorted(tracks.names()):
        try:
            _show_track(tracks.get(name), console)
        except Misuse as error:
            broken.append(error)
            console.print(Text.assemble((name, "bold red"), "  a track that does not load"))
    if broken:
        raise broken[0]


def _show_track(track: Track, console: Console) -> None:
    console.print(Text.assemble((track.name, "bold"), f"  a track: {', '.join(track.contracts)}"))
    console.print(Padding(Text(track.title), (0, 0, 0, 2), expand=False))


def show_contract(contract: Contract, console: Console) -> None:
    """Print the checks of a contract."""
    console.print(Text.assemble((contract.name, "bold"), f"  {contract.title}"))
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for check in contract.checks:
        table.add_row(Text(check.id, "bold"), check.level, Text(check.requirement))
    console.print(table)


def show_check(check_id: str, contract_name: str | None, console: Console) -> None:
    """Print one check: requirement, wrong and right code, remedy.

    Raises:
        Misuse: if no contract has it.
    """
    searched = [contracts.get(contract_name)] if contract_name else list(_that_load())
    having = [contract for contract in searched if check_id in contract.by_id]
    if not having:
        known = [check.id for contract in searched for check in contract.checks]
        raise expected("the id of a check", "CHECK", check_id, suggestion(check_id, known))
    for contract in having:
        _show(contract, current_check(contract.check(check_id), installed()), console)


def _that_load() -> Iterator[Contract]:
    for name in sorted(contracts.names()):
        with contextlib.suppress(Misuse):  # one that does not load is no bar to explaining another's check
            yield contracts.get(name)


def _show(contract: Contract, check: Check, console: Console) -> None:
    console.print(Text.assemble((check.id, "bold"), f"  {check.level} of contract {contract.name}"))
    console.print(Padding(Text(check.requirement), (0, 0, 0, 2), expand=False))
    for label, code in (("wrong", check.wrong), ("right", check.right)):
        console.print(Text(f"  {label}", "red" if label == "wrong" else "green"))
        console.print(Padding(Text(code), (0, 0, 0, 4), expand=False))
    console.print(Text("  remedy", "bold"))
    console.print(Padding(Text(check.remedy), (0, 0, 0, 4), expand=False))


@click.command(name="contracts")
@click.argument("name", required=False, shell_complete=completion.contract_names)
def list_contracts(name: str | None) -> None:
    """List the installed contracts, or the checks of one."""
    console = Console(highlight=False)
    if name is None:
        show_contracts(console)
    else:
        show_contract(contracts.get(name), console)


@click.command()
@click.argument("name", metavar="CHECK|CONTRACT", shell_complete=completion.checks_and_contracts)
@click.option(
    "--contract",
    help="Look only in this contract.",
    shell_complete=completion.contract_names,
)
def explain(name: str, contract: str | None) -> None:
    """Explain a check, with wrong and right code.

    Given a CONTRACT, list its checks.
    """
    console = Console(highlight=False)
    if contract is None and name in contracts.names():
        show_contract(contracts.get(name), console)
    else:
        show_check(name, contract, console)
