"""Which cases `grade` judges first: data of the contract, in `tier.toml` beside its catalogue of implementations."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

from nnx_conformance.core import contracts
from nnx_conformance.core.contract import Contract
from nnx_conformance.core.errors import Misuse
from nnx_conformance.judging.tier import DEFAULT, Tier

FILE = "tier.toml"


def first_tier(contract: Contract) -> Tier:
    """The first tier of a contract; the first cases of its core if it keeps none.

    Raises:
        Misuse: if its file is not of this form.
    """
    folder = contracts.catalogue_folder(contract)
    return read(folder / FILE, contract) if folder and (folder / FILE).is_file() else DEFAULT


def read(file: Path, contract: Contract) -> Tier:
    """The first tier that a file holds.

    Raises:
        Misuse: if it is no TOML, names a domain that the contract does not have, or holds anything but lists of whole
            numbers >= 0.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Misuse(f"Expected TOML in {file} but it is none: {error}") from error
    domains = {domain.name for domain in contract.domains}
    for name, positions in content.items():
        whole = isinstance(positions, list) and all(type(each) is int and each >= 0 for each in positions)
        if name not in domains or not whole:
            raise Misuse(
                f"Expected the positions of cases in a domain of contract {contract.name!r} but got "
                f"{name}={positions!r} (type={type(positions).__name__}) in {file}. "
                f"Write it again: `nnx-conformance audit {contract.name} --tier {file.name}`."
            )
    return Tier(tuple((name, tuple(positions)) for name, positions in content.items()))


def text(tier: Tier, head: Iterable[str]) -> str:
    """The file of a first tier, under lines of comment."""
    return "".join([*(f"# {line}\n" for line in head), *(f"{name} = {list(at)}\n" for name, at in tier.positions)])
