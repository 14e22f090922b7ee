"""Judging the implementations of the reference, for the tests."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import flax
import pytest

import nnx_reference
from nnx_conformance import Report, check
from nnx_conformance.core import contracts
from nnx_conformance.core.contract import CORE
from nnx_reference import Implementation

#: Enough for what is not rare; the rare ones say so by needing more.
EXAMPLES = 12
MORE_EXAMPLES = 200


def rights(contract: str = "mutability") -> list[Implementation]:
    """The right implementations that the installed Flax allows."""
    return [found for found in nnx_reference.rights(contract) if found.applies_to(flax.__version__)]


def mutants(contract: str = "mutability") -> list[Implementation]:
    """The wrong ones that the installed Flax allows."""
    return [found for found in nnx_reference.mutants(contract) if found.applies_to(flax.__version__)]


def core(contract: str) -> tuple[str, ...]:
    """The ids of the checks of a contract's core domain."""
    return tuple(check.id for check in contracts.get(contract).checks if check.domain == CORE)


def sampled(items: Sequence[Any], every: int, name: Callable[[Any], str]) -> list[Any]:
    """Parameters of a test: one of `every` is quick, the one halfway to the next is medium, the others are slow."""
    marks = {0: (), every // 2: (pytest.mark.medium,)}
    return [
        pytest.param(item, id=name(item), marks=marks.get(at % every, (pytest.mark.slow,)))
        for at, item in enumerate(items)
    ]


def violated(report: Report, level: str | None = None) -> set[str]:
    """The ids of the violated checks."""
    return {finding.check for finding in report.findings if level in (None, finding.level)}


@functools.cache
def judged(implementation: Implementation, examples: int = EXAMPLES, checks: tuple[str, ...] = ()) -> Report:
    """The report of an implementation, judged in this process; a mutant only by the checks that it names."""
    return check(
        implementation.load(),
        contract=implementation.contract,
        max_examples=examples,
        shrink=False,
        checks=checks or implementation.catches,
    )
