"""Which of the cases that violate a check its search for a smaller one starts from."""

from __future__ import annotations

import numpy as np

from nnx_conformance.core import case, contracts
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import Violation
from nnx_conformance.core.plan import Request, RunPlan
from nnx_conformance.judging.tally import Tally


def violated(tally: Tally, size: int, *, drawn: bool = True, cause: str = "") -> None:
    """The tally counts a violation on an input of this size."""
    asked = Case("core", (case.jax("x", np.zeros(size)),))
    tally.add(Request(asked, RunPlan(), 0), Violation("differs", cause=cause), drawn=drawn)


def started(tally: Tally) -> int:
    """The size of the input that the search starts from."""
    assert tally.example is not None
    return int(tally.example.request.case["x"].size)


def test_the_search_starts_from_the_smallest_drawn_case_that_fails_in_the_same_way() -> None:
    tally = Tally(contracts.get("mutability").checks[0])

    violated(tally, 9)
    violated(tally, 4)
    violated(tally, 6)
    assert started(tally) == 4
    violated(tally, 2, cause="another")
    assert started(tally) == 4
    violated(tally, 3, drawn=False)  # made of the candidate's literals: no strategy shrinks it
    assert started(tally) == 4
    assert tally.violated == 5
