"""The cases of a domain: drawn on demand, or drawn once for many candidates."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import Contract
from nnx_conformance.core.report import Settings
from nnx_conformance.core.search.domain import Domain, Part
from nnx_conformance.judging import engine
from nnx_conformance.process.fork_server import ForkServer


class Draw(Protocol):
    """Passes every case of a domain to `visit`; an exception of `visit` ends the drawing and is raised here."""

    def __call__(self, domain: Domain, settings: Settings, visit: Callable[[Case], None]) -> None:
        """Draw by these settings, and visit each case in turn."""


@functools.lru_cache(maxsize=64)
def parts(domain: Domain, seed: int) -> tuple[Part, ...]:
    """The parts of a domain, cached: making their strategies takes as long as judging some dozens of cases."""
    return domain.parts(seed)


def drawn(domain: Domain, settings: Settings, visit: Callable[[Case], None]) -> None:
    """Draw while visiting: keeps nothing, and the candidate need not wait for the last case."""
    for part in parts(domain, settings.seed):
        engine.draw(part.cases, part.count(settings.max_examples), settings.seed, visit)


def two_cases(contract: Contract) -> list[Case]:
    """Two cases of the core."""
    cases: list[Case] = []
    engine.draw(contract.domains[0].parts(0)[0].cases, 2, 0, cases.append)
    return cases


class DrawnOnce:
    """Draws a domain once for all candidates; equal seeds draw equal cases, so sharing changes no verdict."""

    def __init__(self) -> None:
        self._cases: dict[tuple[str, int, int], list[Case]] = {}

    def __call__(self, domain: Domain, settings: Settings, visit: Callable[[Case], None]) -> None:
        """Visit the cases, drawn now or earlier."""
        key = (domain.name, settings.seed, settings.max_examples)
        if key not in self._cases:
            cases: list[Case] = []
            drawn(domain, settings, cases.append)
            self._cases[key] = cases
        for case in self._cases[key]:
            visit(case)


@dataclass(frozen=True)
class Warm:
    """A fork server that has imported JAX and Flax, and the drawn cases, shared by candidates."""

    fork_server: ForkServer
    draw: Draw = field(default_factory=DrawnOnce)
