"""How `explore` searches a contract whose cases are sequences of operations, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnx_conformance.core.case import Case

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def no_cases(_: int) -> tuple[Case, ...]:
    """No cases: the search starts with drawn ones."""
    return ()


@dataclass(frozen=True)
class Exploration:
    """What `explore` draws, counts and aims at.

    Attributes:
        cases: makes the strategy of the cases to search.
        first: makes the cases to start with from the search's seed: they lead to conditions that drawn cases rarely
            meet.
        operations: the names of all operations.
        done: lists the operations that a case ran, in order, each with why it was skipped; empty if it was not.
        scores: rates a case by several names; a higher score is nearer to a fault.
        wording: a phrase for the highest value of each score, such as `the state became {:.3g} times as large`.
    """

    cases: Callable[[], SearchStrategy[Case]]
    operations: tuple[str, ...]
    done: Callable[[Any], tuple[tuple[str, str], ...]]
    scores: Callable[[Any], dict[str, float]]
    wording: Mapping[str, str]
    first: Callable[[int], tuple[Case, ...]] = no_cases
