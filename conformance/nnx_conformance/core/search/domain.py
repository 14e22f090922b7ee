"""Domains: the parts of the inputs on which checks are judged, and how many cases of each are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnx_conformance.core.case import Case
from nnx_conformance.core.search.components import Components

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True, eq=False)
class Part:
    """Cases of one kind, and how many of them are drawn.

    Attributes:
        budget: at most so many; None for as many as the user asks for.
        share: one for so many that the user asks for: for cases that each cost as much as many others.
        least: at least so many, however few the user asks for.
    """

    cases: SearchStrategy[Case]
    budget: int | None = None
    share: int = 1
    least: int = 1

    def count(self, max_examples: int) -> int:
        """How many cases to draw."""
        wanted = max(self.least, max_examples // self.share)
        return wanted if self.budget is None else min(self.budget, wanted)


@dataclass(frozen=True)
class Domain:
    """A part of a contract's inputs.

    Attributes:
        name: `core`, or the id of the check that it is drawn for, and that is to blame where a process ends on it.
        parts: kinds of cases that must each be drawn, from the seed of the run (shapes are pooled per run: each costs a
            compilation).
        components: what its cases are made of, for a search that a candidate's conditions lead; None for no search.
    """

    name: str
    parts: Callable[[int], tuple[Part, ...]]
    components: Components | None = None
