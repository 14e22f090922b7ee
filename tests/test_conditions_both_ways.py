"""Reference implementations are judged alike on their source as it stands, and rewritten for watching."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flax
import pytest

from nnx_conformance.core import contracts
from nnx_conformance.core.contract import CORE
from nnx_conformance.core.report import Settings
from nnx_conformance.core.search.conditions import Conditions
from nnx_conformance.judging.check import Job, judge
from nnx_conformance.judging.judge import Judging
from nnx_conformance.observe.conditions.watching import watching
from nnx_conformance.observe.load import import_file
from nnx_conformance.observe.source import Source
from nnx_conformance.process.session import InProcess
from nnx_conformance.reports.json import document
from nnx_reference import Implementation, mutants, rights

IMPLEMENTATIONS = [
    (contract, each)
    for contract in ("mutability", "split-merge", "lifted", "running-mean")
    for each in (*rights(contract), *mutants(contract))
    if each.applies_to(flax.__version__)
]
#: One in so many is judged in each run of the tests.
SAMPLE = 61


@contextlib.contextmanager
def imported(path: Path) -> Iterator[Any]:
    """A file imported anew, and forgotten afterwards."""
    folders, known = list(sys.path), set(sys.modules)
    try:
        yield import_file(str(path))
    finally:
        sys.path[:] = folders
        for name in set(sys.modules) - known:
            if getattr(sys.modules[name], "__file__", None) == str(path):
                del sys.modules[name]


def drawn_alone(judging: Judging) -> None:
    """Judge the drawn cases, and look for no conditions."""
    judging.leads = False
    judging.run()


def judged(contract: str, function: Any) -> str:
    """The report of a function, all but what differs at each run."""
    core = tuple(check.id for check in contracts.get(contract).checks if CORE in check.domains)
    settings = Settings(2, shrink=False, checks=core)
    report = judge(Job(lambda: InProcess(function, "solution"), "solution", contract, settings, search=drawn_alone))
    return document([dataclasses.replace(report, seconds=0.0, conditions=Conditions())])


def both_ways(contract: str, each: Implementation, folder: Path) -> tuple[str, str, int]:
    """The reports of a copy as it stands and rewritten, and how many of its conditions were come to."""
    if missing := each.missing():
        pytest.skip(f"not installed: {', '.join(missing)}")
    path = folder / "solution.py"
    path.write_text(each.path.read_text())
    with imported(path) as module:
        plain = judged(contract, getattr(module, each.entry))
    with imported(path) as module:
        watched = watching(Source(str(path)))
        assert watched.functions and not watched.untouched
        with watched.recording() as recorder:
            rewritten = judged(contract, getattr(module, each.entry))
    return plain, rewritten, len(recorder.visits)


@pytest.mark.medium
@pytest.mark.parametrize(("contract", "each"), IMPLEMENTATIONS[::SAMPLE], ids=lambda part: getattr(part, "name", part))
def test_some_implementations_are_judged_alike(contract: str, each: Implementation, tmp_path: Path) -> None:
    plain, rewritten, _ = both_ways(contract, each, tmp_path)

    assert rewritten == plain


@pytest.mark.medium
def test_what_is_compared_alike_was_recorded(tmp_path: Path) -> None:
    each = next(each for each in rights("mutability") if each.name == "loops_while_the_count_differs")
    plain, rewritten, recorded = both_ways("mutability", each, tmp_path)

    assert rewritten == plain and recorded


@pytest.mark.slow
@pytest.mark.parametrize(("contract", "each"), IMPLEMENTATIONS, ids=lambda part: getattr(part, "name", part))
def test_every_implementation_is_judged_alike(contract: str, each: Implementation, tmp_path: Path) -> None:
    plain, rewritten, _ = both_ways(contract, each, tmp_path)

    assert rewritten == plain
