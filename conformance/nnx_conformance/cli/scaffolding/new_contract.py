"""`nnx-conformance new-contract`: writes a package with a small contract and its test."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from nnx_conformance.core import contracts
from nnx_conformance.core.errors import Misuse, expected

#: Templates carry this ending, so that no tool takes them for what they become.
ENDING = ".txt"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def package_name(contract: str) -> str:
    """The name of a contract's package and function: `running_total` for `running-total`.

    Raises:
        Misuse: if the contract cannot be called so, or one is installed by this name.
    """
    fix = "Write words of small letters and digits with hyphens between them, `running-total`."
    package = contract.replace("-", "_")
    if not NAME.fullmatch(contract) or keyword.iskeyword(package):
        raise expected("a name for a contract", "NAME", contract, fix)
    if package in sys.stdlib_module_names or package in ("jax", "flax", "numpy"):
        raise expected("a name that no library has", "NAME", contract, "Choose another, its package would hide that.")
    if contract in contracts.names():
        raise expected("the name of a new contract", "NAME", contract, "One of this name is installed; choose another.")
    return package


def files(contract: str) -> dict[str, str]:
    """The text of each file of a new contract, by its path in the new folder."""
    package = package_name(contract)

    def filled(text: str) -> str:
        return text.replace("@contract@", contract).replace("@package@", package)

    template = resources.files("nnx_conformance").joinpath("cli", "contract_template")
    texts = {filled(path): filled(text) for path, text in _texts(template, "")}
    return {re.sub("^package/", f"{package}/", path): text for path, text in sorted(texts.items())}


def _texts(folder: Traversable, inside: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _texts(entry, f"{inside}{entry.name}/")
        elif entry.name.endswith(ENDING):
            yield inside + entry.name.removesuffix(ENDING), entry.read_text(encoding="utf-8")


def write(contract: str, folder: Path) -> tuple[Path, ...]:
    """Write a new contract into a folder that is not there or empty; the files, in order.

    Raises:
        Misuse: if the name will not do, or the folder holds something or cannot be written.
    """
    texts = files(contract)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise expected("a new or empty folder", "--into", str(folder), "Name another; nothing is overwritten.")
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Misuse(f"{folder} cannot be written: {error.strerror}. Name another folder by --into.") from error
    return tuple(folder / path for path in texts)


@click.command(name="new-contract")
@click.argument("name")
@click.option("--into", type=click.Path(path_type=Path), help="The folder to write.  [NAME]")
def new_contract(name: str, into: Path | None) -> None:
    """Write a small contract with its test, to turn into yours."""
    folder = into or Path(name)
    for path in write(name, folder):
        click.echo(f"written: {path}")
    click.echo(f"next: cd {folder} && pip install -e '.[test]' && pytest")
