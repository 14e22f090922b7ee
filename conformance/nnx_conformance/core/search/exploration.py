"""How a contract whose cases are sequences of operations is searched for a given time: data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnx_conformance.core.case import Case

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def no_cases(_: int) -> tuple[Case, ...]:
    """None: the search starts with what is drawn."""
    return ()


@dataclass(frozen=True)
class Exploration:
    """How a search for a given time goes about, see `exploring`.

    Attributes:
        cases: the cases to search.
        first: the cases that it starts with, from its seed: those that lead to conditions not yet met.
        operations: the names of all that a case may do.
        done: what one did: each operation in its order, and why it was skipped; empty if it was not.
        scores: what the search aims at, by name: the higher, the nearer is the case to something odd.
        wording: how to report the highest of each score, such as `the state became {:.3g} times as large`.
    """

    cases: Callable[[], SearchStrategy[Case]]
    operations: tuple[str, ...]
    done: Callable[[Any], tuple[tuple[str, str], ...]]
    scores: Callable[[Any], dict[str, float]]
    wording: Mapping[str, str]
    first: Callable[[int], tuple[Case, ...]] = no_cases
