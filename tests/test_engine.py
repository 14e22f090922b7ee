"""The same seed draws the same cases, whoever draws."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nnx_conformance.core import contracts
from nnx_conformance.core.case import Case
from nnx_conformance.judging import engine

DRAW = """
from nnx_conformance.core import contracts
from nnx_conformance.judging import engine

drawn = []
for part in contracts.get("mutability").domains[0].parts(0):
    engine.draw(part.cases, 60, 0, lambda case: drawn.append(case.key))
print(*drawn, sep="\\n")
"""
#: Hypothesis draws what it finds in the source of local modules.
CONSTANTS = "NUMBERS = (" + ", ".join(f"{number}, {number}.25" for number in range(3, 3000, 7)) + ")\n"


def draws(folder: Path, before: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", before + DRAW], cwd=folder, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.split()


@pytest.mark.slow
def test_what_else_is_imported_does_not_change_what_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "local_module.py").write_text(CONSTANTS)
    alone = draws(tmp_path, "")
    assert len(alone) == 60
    assert draws(tmp_path, "import local_module\n") == alone


@pytest.mark.slow
def test_hypothesis_alone_would_draw_what_local_modules_hold(tmp_path: Path) -> None:
    (tmp_path / "local_module.py").write_text(CONSTANTS)
    unkept = (
        "import contextlib\nfrom nnx_conformance.judging import engine\n"
        "engine.the_same_everywhere = contextlib.nullcontext\n"
    )
    assert draws(tmp_path, unkept + "import local_module\n") != draws(tmp_path, unkept)


SMALLEST: dict[str, tuple[Callable[[Case], bool], str]] = {
    "many calls": (lambda case: bool(case["n_calls"] >= 33), "seed=0.0  x=[0.]  n_calls=33.0"),
    "two ends": (
        lambda case: bool(case["seed"] == 2**32 - 1 and case["n_calls"] == 64),
        "seed=4294967295.0  x=[0.]  n_calls=64.0",
    ),
    "a length and a sign": (
        lambda case: case["x"].size % 8 == 0 and bool(case["x"].sum() < 0),
        "seed=0.0  x=[-1.,  0.,  0.,  0.,  0.,  0.,  0.,  0.]  n_calls=1.0",
    ),
}


@pytest.mark.parametrize(("fails", "smallest"), SMALLEST.values(), ids=list(SMALLEST))
def test_what_fails_in_a_corner_shrinks_on_to_what_is_none(fails: Callable[[Case], bool], smallest: str) -> None:
    (part,) = contracts.get("mutability").domains[0].parts(0)
    failing: list[Case] = []
    engine.draw(part.cases, 200, 0, lambda case: failing.append(case) if fails(case) else None)

    found = engine.shrink(part.cases, 200, 0, failing[0], fails, seconds=600.0)

    assert found is not None
    assert (str(found.case), found.settled) == (smallest, True)


def test_a_search_that_ran_out_of_time_does_not_call_its_case_the_smallest() -> None:
    (part,) = contracts.get("mutability").domains[0].parts(0)
    drawn: list[Case] = []
    engine.draw(part.cases, 200, 0, drawn.append)

    def fails(case: Case) -> bool:
        time.sleep(0.05)
        return bool(case["n_calls"] >= 3 and case["x"].size >= 3)

    start = next(case for case in drawn if fails(case) and case["x"].size > 100)
    found = engine.shrink(part.cases, 200, 0, start, fails, seconds=0.2)

    assert found is not None
    assert not found.settled
