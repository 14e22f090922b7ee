"""The catalogue of a contract: its right implementations and its mutants, found without importing one."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from nnx_conformance.contract import Contract
from nnx_conformance.errors import Misuse, expected
from nnx_reference.catalogue import Catalogue, read

MEND = "Name the package whose folder holds `right/` and `mutants/`, as in Contract(..., catalogue='package.folder')."


def catalogue(contract: Contract) -> Catalogue:
    """The implementations of a contract, on every Flax.

    Raises:
        Misuse: if the contract names no catalogue, it is not there, or a file in it is not of its form.
    """
    try:
        return read(folder(contract), contract=contract.name, entry=contract.entry)
    except ValueError as error:
        raise Misuse(f"The catalogue of contract {contract.name!r} cannot be read. {error}") from error


def folder(contract: Contract) -> Path:
    """The folder of a contract's catalogue. Only the search path is asked: a catalogue imports nothing.

    Raises:
        Misuse: if the contract names none, or it is not there.
    """
    top, *inner = contract.catalogue.split(".")
    if not all(name.isidentifier() for name in (top, *inner)):
        raise expected("a contract with a catalogue", "catalogue", contract.catalogue, MEND)
    found = importlib.util.find_spec(top)
    for place in (found.submodule_search_locations or ()) if found else ():
        if (path := Path(place, *inner)).is_dir():
            return path
    raise expected("the package of a folder that exists", "catalogue", contract.catalogue, MEND)
