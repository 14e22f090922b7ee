"""What is drawn in every run, and not only in most."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import strategies as st

from nnx_conformance.core import contracts
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import CORE
from nnx_conformance.core.search.domain import Part
from nnx_conformance.judging import engine

#: Of each contract: what a case is told by, and what must be among them.
ENDS: dict[str, tuple[Callable[[Case], object], set[object]]] = {
    "lifted": (
        lambda case: (case["xs"].shape, float(case["seed"]), float(case["n_calls"])),
        set(product(((3, 2), (15, 63), (16, 64), (17, 65)), (0.0, 2.0**32 - 1), (1.0, 16.0))),
    ),
    "running-mean": (
        lambda case: (case["batches"].shape, float(case["seed"]), float(case["momentum"])),
        set(product(((3, 5, 3), (5, 3, 5), (4, 4, 3)), (0.0, 2.0**32 - 1), (0.0, 0.999))),
    ),
}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", ENDS)
def test_the_ends_of_the_core_domain_meet_in_every_run_of_the_default_budget(name: str, seed: int) -> None:
    told, wanted = ENDS[name]
    drawn: list[Case] = []
    for domain in contracts.get(name).domains:
        for part in domain.parts(seed) if domain.name == CORE else ():
            engine.draw(part.cases, part.count(200), seed, drawn.append)

    assert wanted <= set(map(told, drawn))


@pytest.mark.parametrize(("least", "examples", "count"), [(1, 10, 1), (0, 10, 0), (0, 100, 2), (1, 100, 2)])
def test_a_part_that_is_a_share_of_the_cases_may_be_left_out_of_small_runs(
    least: int, examples: int, count: int
) -> None:
    assert Part(st.nothing(), share=50, least=least).count(examples) == count
