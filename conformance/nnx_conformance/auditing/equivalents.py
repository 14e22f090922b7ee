"""Made mutants that are right after all: recorded as data beside the catalogue, each with the reason."""

from __future__ import annotations

import tomllib
from pathlib import Path

from nnx_conformance.errors import Misuse

FILE = "equivalent.toml"


def equivalents(folder: Path) -> dict[str, str]:
    """The reasons by the names of the mutants, from `equivalent.toml` in the folder of a catalogue; none without it.

    Raises:
        Misuse: if the file is no TOML, or holds anything but lines of `name = "reason"`.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Misuse(f"Expected TOML in {path} but it is none: {error}") from error
    for name, reason in found.items():
        if not isinstance(reason, str) or not reason.strip():
            raise Misuse(
                f"Expected the reason why the mutant is right but got {name}={reason!r} (type={type(reason).__name__}) "
                f'in {path}. Write `{name} = "why it keeps the contract"`.'
            )
    return found
