"""Domains: parts of a contract's inputs, each with the number of cases to draw."""

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
        budget: the most cases to draw; None for no limit of its own.
        share: draw one case for every `share` that the user requested; above 1 for expensive cases.
        least: the fewest cases to draw, however few the user requested.
    """

    cases: SearchStrategy[Case]
    budget: int | None = None
    share: int = 1
    least: int = 1

    def count(self, max_examples: int) -> int:
        """How many cases to draw."""
        count = max(self.least, max_examples // self.share)
        return count if self.budget is None else min(self.budget, count)


@dataclass(frozen=True)
class Domain:
    """A part of a contract's inputs.

    Attributes:
        name: `core`, or the id of an edge check. If the process dies on one of these cases, that check is violated.
        parts: makes the kinds of cases, each of which must be drawn, from the seed of the run. The seed selects a pool
            of shapes, because each new shape costs a compilation.
        components: the parts of its cases, for a search guided by the candidate's conditions; None for no search.
    """

    name: str
    parts: Callable[[int], tuple[Part, ...]]
    components: Components | None = None
