"""Judging the implementations of the reference, for the tests."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import flax
import pytest

import nnx_reference
from nnx_conformance import Report, check
from nnx_reference import Implementation

#: Enough for what is not rare; the rare ones say so by needing more.
EXAMPLES = 12
MORE_EXAMPLES = 200


def rights() -> list[Implementation]:
    """The right implementations that the installed Flax allows."""
    return [found for found in nnx_reference.rights() if found.applies_to(flax.__version__)]


def mutants() -> list[Implementation]:
    """The wrong ones that the installed Flax allows."""
    return [found for found in nnx_reference.mutants() if found.applies_to(flax.__version__)]


def sampled(items: Sequence[Any], every: int, name: Callable[[Any], str]) -> list[Any]:
    """Parameters of a test: one of `every` so many is quick, the others are among the slow tests."""
    return [
        pytest.param(item, id=name(item), marks=() if at % every == 0 else pytest.mark.slow)
        for at, item in enumerate(items)
    ]


def violated(report: Report, level: str | None = None) -> set[str]:
    """The ids of the violated checks."""
    return {finding.check for finding in report.findings if level in (None, finding.level)}


@functools.cache
def judged(implementation: Implementation, examples: int = EXAMPLES) -> Report:
    """The report of an implementation, judged in this process; a mutant only by the checks that it names."""
    return check(implementation.load(), max_examples=examples, shrink=False, checks=implementation.catches)
