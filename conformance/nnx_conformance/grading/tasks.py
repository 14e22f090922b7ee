"""The tasks of a grading: the candidate of each, the plan for all, and the key under which a grade is stored."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from nnx_conformance.core.report import Settings
from nnx_conformance.grading.grade import Grade, ungraded
from nnx_conformance.judging.tier import Tier
from nnx_conformance.process.limits import Limits
from nnx_conformance.sandbox.jail import Jail

#: A candidate at which a judge died is given to another this often; then the kit has failed at it.
TRIES = 3


@dataclass(frozen=True)
class GradingPlan:
    """How to judge every candidate.

    Attributes:
        contract, contract_version: by which contract.
        jail: with the level that this host gives, not an empty one.
        cache: the folder of compilations that the contract's own candidate has made; empty for none.
        tier: the cases that are judged first, after which a wrong candidate is done; None for all of them at once.
        places: whether grades say on which cases a MUST check is violated.
    """

    contract: str
    contract_version: str
    settings: Settings
    limits: Limits
    jail: Jail
    cache: str = ""
    tier: Tier | None = None
    places: bool = False


def versions() -> dict[str, str]:
    """The versions that a verdict depends on besides the plan. Imports none of the packages."""
    packages = ("nnx-conformance", "jax", "jaxlib", "flax", "hypothesis")
    return {"python": platform.python_version(), **{package: version(package) for package in packages}}


def key(source: bytes, plan: GradingPlan) -> str:
    """The key of a candidate's result: the same for the same content judged in the same way on the same versions."""
    parts: dict[str, Any] = {**dataclasses.asdict(plan), **versions(), "cache": None}
    text = json.dumps(parts, sort_keys=True).encode()
    return hashlib.sha256(hashlib.sha256(text).digest() + source).hexdigest()[:32]


@dataclass(frozen=True)
class Task:
    """One candidate, by the key of its result.

    Attributes:
        key, id, source: which.
        checks: the ids of those that judge it; empty for those of the plan.
    """

    key: str
    id: str
    source: bytes
    checks: tuple[str, ...] = ()


class Attempts:
    """Counts how often judges died on a candidate."""

    def __init__(self) -> None:
        self._died: dict[str, int] = {}

    def died(self, task: Task) -> Grade | None:
        """Count a death; returns the grade after the last try."""
        self._died[task.key] = self._died.get(task.key, 0) + 1
        if self._died[task.key] < TRIES:
            return None
        return ungraded(task.key, f"the process of the judge ended {TRIES} times while it judged this")
