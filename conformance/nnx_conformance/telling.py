"""Telling what contracts and checks promise."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from nnx_conformance import contract as contracts
from nnx_conformance.contract import Check, Contract
from nnx_conformance.errors import expected, suggestion


def show_contracts(console: Console) -> None:
    """The installed contracts, each with where it comes from."""
    for name, entry_point in sorted(contracts.names().items()):
        found = contracts.get(name)
        origin = entry_point.dist.name if entry_point.dist else "unknown"
        about = f"  version {found.version}, {len(found.checks)} checks, from {origin}"
        console.print(Text.assemble((name, "bold"), about))
        console.print(Padding(Text(found.title), (0, 0, 0, 2), expand=False))


def show_contract(contract: Contract, console: Console) -> None:
    """The checks of a contract."""
    console.print(Text.assemble((contract.name, "bold"), f"  {contract.title}"))
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for check in contract.checks:
        table.add_row(Text(check.id, "bold"), check.level, Text(check.requirement))
    console.print(table)


def show_check(check_id: str, contract_name: str | None, console: Console) -> None:
    """One check, whole.

    Raises:
        Misuse: if no contract has it.
    """
    found = [contracts.get(name) for name in ([contract_name] if contract_name else sorted(contracts.names()))]
    having = [contract for contract in found if check_id in contract.by_id]
    if not having:
        known = [check.id for contract in found for check in contract.checks]
        raise expected("the id of a check", "CHECK", check_id, suggestion(check_id, known))
    for contract in having:
        _show(contract, contract.check(check_id), console)


def _show(contract: Contract, check: Check, console: Console) -> None:
    console.print(Text.assemble((check.id, "bold"), f"  {check.level} of contract {contract.name}"))
    console.print(Padding(Text(check.requirement), (0, 0, 0, 2), expand=False))
    for label, code in (("wrong", check.wrong), ("right", check.right)):
        console.print(Text(f"  {label}", "red" if label == "wrong" else "green"))
        console.print(Padding(Text(code), (0, 0, 0, 4), expand=False))
    console.print(Text("  remedy", "bold"))
    console.print(Padding(Text(check.remedy), (0, 0, 0, 4), expand=False))
