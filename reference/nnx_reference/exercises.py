"""The exercises of which this package has implementations."""

import functools
from pathlib import Path

from nnx_reference.catalogue import Catalogue, Implementation, read

_FOLDER = Path(__file__).parent
#: The folder of each contract here, and the module-level name that its files hold.
_ENTRIES = {
    "mutability": ("mutability", "mutability_increment_count"),
    "module-laws": ("laws", "subject"),
    "lifted": ("lifted", "lifted_count"),
    "running-mean": ("running_mean", "running_mean"),
    "split-merge": ("split_merge", "functional_count"),
}


def rights(contract: str = "mutability") -> tuple[Implementation, ...]:
    """Returns the right implementations of a contract, sorted by name."""
    return _catalogue(contract).rights


def mutants(contract: str = "mutability") -> tuple[Implementation, ...]:
    """Returns the wrong implementations of a contract, sorted by name."""
    return _catalogue(contract).mutants


@functools.cache
def _catalogue(contract: str) -> Catalogue:
    if contract not in _ENTRIES:
        known = ", ".join(sorted(_ENTRIES))
        raise ValueError(
            f"Expected a contract with reference implementations but got contract={contract!r} "
            f"(type={type(contract).__name__}). Known: {known}."
        )
    folder, entry = _ENTRIES[contract]
    return read(_FOLDER / folder, contract=contract, entry=entry)
