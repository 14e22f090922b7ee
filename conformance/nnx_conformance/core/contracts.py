"""The installed contracts, found through entry points."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from nnx_conformance.core.contract import Contract
from nnx_conformance.core.errors import Misuse, expected, suggestion

GROUP = "nnx_conformance.contracts"


def reference_folders(contract: Contract) -> Iterator[str]:
    """The folders of the packages with a contract's right candidates, which graded candidates must not read."""
    modules = (contract.control.partition(":")[0], contract.catalogue)
    for package in dict.fromkeys(name.partition(".")[0] for name in modules if name):
        spec = importlib.util.find_spec(package)
        yield from (spec.submodule_search_locations or ()) if spec else ()


def catalogue_folder(contract: Contract) -> Path | None:
    """The folder of a contract's catalogue; None if there is none. Imports nothing."""
    top, *inner = contract.catalogue.split(".")
    if not all(name.isidentifier() for name in (top, *inner)):
        return None
    spec = importlib.util.find_spec(top)
    folders = (Path(folder, *inner) for folder in (spec.submodule_search_locations or ())) if spec else ()
    return next((folder for folder in folders if folder.is_dir()), None)


def names() -> dict[str, EntryPoint]:
    """The entry points of the installed contracts, by name. Imports none of them."""
    return {point.name: point for point in entry_points(group=GROUP)}


def get(name: str) -> Contract:
    """An installed contract.

    Raises:
        Misuse: if none has that name, or it does not load.
    """
    points = names()
    if name not in points:
        raise expected("the name of an installed contract", "contract", name, suggestion(name, points))
    try:
        contract = points[name].load()
    except Exception as error:  # importing a third-party contract may raise anything
        why = f"{type(error).__name__}: {error}. Fix it, or uninstall the package."
        raise Misuse(f"Contract {name!r} of {_origin(points[name])} does not load: {why}") from error
    if not isinstance(contract, Contract):
        raise expected("a Contract at its entry point", name, contract, f"Fix entry point {points[name].value!r}.")
    return contract


def _origin(point: EntryPoint) -> str:
    return f"package {point.dist.name!r} ({point.value})" if point.dist else point.value
