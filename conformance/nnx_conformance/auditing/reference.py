"""The reference solution of a contract as one file, of which mutants are made."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from nnx_conformance.contract import Contract
from nnx_conformance.errors import Misuse
from nnx_conformance.target import parse


@dataclass(frozen=True)
class Reference:
    """The source of the contract's own right candidate.

    Attributes:
        source: its file; the contract's entry is the last name in it if its own is another.
        entry: the name of its function.
    """

    source: str
    entry: str


def reference(contract: Contract) -> Reference:
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
        mend = f"Let its control be a Python file that can be read. {error}"
        raise Misuse(f"The source of {contract.control!r}, of which mutants are made, is not there. {mend}") from error
    return Reference(source if entry == contract.entry else f"{source}\n\n{contract.entry} = {entry}\n", entry)


def _origin(module: str) -> str:
    found = importlib.util.find_spec(module)
    return found.origin or "" if found else ""
