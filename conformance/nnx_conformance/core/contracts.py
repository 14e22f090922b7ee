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
    """The folders of the packages that hold a contract's right candidates: those who are graded must not read them."""
    named = (contract.control.partition(":")[0], contract.catalogue)
    for package in dict.fromkeys(name.partition(".")[0] for name in named if name):
        spec = importlib.util.find_spec(package)
        yield from (spec.submodule_search_locations or ()) if spec else ()


def catalogue_folder(contract: Contract) -> Path | None:
    """The folder of a contract's catalogue, None if there is none; only the search path is asked."""
    top, *inner = contract.catalogue.split(".")
    if not all(name.isidentifier() for name in (top, *inner)):
        return None
    spec = importlib.util.find_spec(top)
    folders = (Path(place, *inner) for place in (spec.submodule_search_locations or ())) if spec else ()
    return next((folder for folder in folders if folder.is_dir()), None)


def names() -> dict[str, EntryPoint]:
    """The installed contracts, by name; nothing is imported yet."""
    return {point.name: point for point in entry_points(group=GROUP)}


def get(name: str) -> Contract:
    """An installed contract.

    Raises:
        Misuse: if there is none of that name, or it does not load.
    """
    points = names()
    if name not in points:
        raise expected("the name of an installed contract", "contract", name, suggestion(name, points))
    try:
        contract = points[name].load()
    except Exception as error:  # a contract of others may do anything when it is imported
        why = f"{type(error).__name__}: {error}. Fix it, or uninstall the package."
        raise Misuse(f"Contract {name!r} of {_origin(points[name])} does not load: {why}") from error
    if not isinstance(contract, Contract):
        raise expected("a Contract at its entry point", name, contract, f"Fix entry point {points[name].value!r}.")
    return contract


def _origin(point: EntryPoint) -> str:
    return f"package {point.dist.name!r} ({point.value})" if point.dist else point.value
