"""The catalogue of a contract, read without importing it: right implementations, mutants, the reference's source."""

from __future__ import annotations

import importlib.util
import tomllib
from dataclasses import dataclass
from pathlib import Path

from nnx_conformance.core import contracts
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.contract import Contract
from nnx_conformance.core.errors import Misuse, expected
from nnx_reference.catalogue import Catalogue, read

FIX = "Name the package whose folder holds `right/` and `mutants/`, as in Contract(..., catalogue='package.folder')."
NOT_IN_WHEELS = (
    "wheels leave them out. Run `pip install -e '.[audit]'` in a checkout or an unpacked sdist, and audit there."
)
#: The file that lists equivalent mutants, which are not wrong, each with the reason.
EQUIVALENT = "equivalent.toml"


def catalogue(contract: Contract) -> Catalogue:
    """The implementations of a contract for all Flax versions.

    Raises:
        Misuse: if the contract names no catalogue, the catalogue does not exist, a file in it is malformed, or its
            mutants are not installed.
    """
    home = folder(contract)
    try:
        implementations = read(home, contract=contract.name, entry=contract.entry)
    except ValueError as error:
        raise Misuse(f"The catalogue of contract {contract.name!r} cannot be read. {error}") from error
    if not (home / "mutants").is_dir():
        raise Misuse(f"The mutants of contract {contract.name!r} are not installed: {NOT_IN_WHEELS}")
    return implementations


def folder(contract: Contract) -> Path:
    """The folder of a contract's catalogue, found on the search path without importing anything.

    Raises:
        Misuse: if the contract names none, or it does not exist.
    """
    if not all(name.isidentifier() for name in contract.catalogue.split(".")):
        raise expected("a contract with a catalogue", "catalogue", contract.catalogue, FIX)
    if (path := contracts.catalogue_folder(contract)) is None:
        raise expected("the package of a folder that exists", "catalogue", contract.catalogue, FIX)
    return path


def equivalents(folder: Path) -> dict[str, str]:
    """The reasons in a catalogue's `equivalent.toml`, by the names of the mutants; none without the file.

    Raises:
        Misuse: if the file is no TOML, or has anything but lines of `name = "reason"`.
    """
    path = folder / EQUIVALENT
    if not path.is_file():
        return {}
    try:
        reasons = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Misuse(f"Expected TOML in {path} but it is none: {error}") from error
    for name, reason in reasons.items():
        if not isinstance(reason, str) or not reason.strip():
            raise Misuse(
                f"Expected the reason why the mutant is right but got {name}={reason!r} (type={type(reason).__name__}) "
                f'in {path}. Write `{name} = "why it keeps the contract"`.'
            )
    return reasons


@dataclass(frozen=True)
class ReferenceSource:
    """The source of the contract's own right candidate.

    Attributes:
        source: its file; if its function has another name than the contract's entry, the last line defines that.
        entry: the name of its function.
    """

    source: str
    entry: str


def reference(contract: Contract) -> ReferenceSource:
    """The contract's own right candidate.

    Raises:
        Misuse: if its source cannot be read.
    """
    target = parse(contract.control)
    entry = target.name or contract.entry
    path = target.path or _origin(target.module)
    try:
        source = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        fix = f"Let its control be a Python file that can be read. {error}"
        raise Misuse(f"The source of {contract.control!r}, of which mutants are made, is not there. {fix}") from error
    return ReferenceSource(source if entry == contract.entry else f"{source}\n\n{contract.entry} = {entry}\n", entry)


def _origin(module: str) -> str:
    spec = importlib.util.find_spec(module)
    return spec.origin or "" if spec else ""
