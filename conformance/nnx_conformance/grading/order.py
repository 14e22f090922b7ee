"""What a grading is asked to do, and the key under which a result is known again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from nnx_conformance.isolation.jail import Jail
from nnx_conformance.process import Limits
from nnx_conformance.report import Settings


@dataclass(frozen=True)
class Order:
    """How to judge every candidate.

    Attributes:
        contract, contract_version: by which contract.
        jail: with the level that this host gives, not an empty one.
        cache: the folder of compilations that the contract's own candidate has made; empty for none.
    """

    contract: str
    contract_version: str
    settings: Settings
    limits: Limits
    jail: Jail
    cache: str = ""


def versions() -> dict[str, str]:
    """Of all that a verdict depends on beside the order. Imports none of it."""
    packages = ("nnx-conformance", "jax", "jaxlib", "flax", "hypothesis")
    return {"python": platform.python_version(), **{package: version(package) for package in packages}}


def key(source: bytes, order: Order) -> str:
    """The key of a candidate's result: the same for the same content judged in the same way on the same versions."""
    parts: dict[str, Any] = {**dataclasses.asdict(order), **versions(), "cache": None}
    text = json.dumps(parts, sort_keys=True).encode()
    return hashlib.sha256(hashlib.sha256(text).digest() + source).hexdigest()[:32]
