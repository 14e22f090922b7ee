"""The kit's profile of Hypothesis, under which a seed draws the same cases everywhere."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from hypothesis.strategies import SearchStrategy


def profile(max_examples: int, *phases: Phase) -> settings:
    """The kit's profile: no deadline (JAX compiles), no database, every health check off."""
    return settings(
        max_examples=max_examples,
        phases=phases,
        deadline=None,
        database=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        print_blob=False,
        report_multiple_bugs=False,
    )


@contextlib.contextmanager
def the_same_everywhere() -> Iterator[None]:
    """Keep Hypothesis from drawing constants from the source of local modules.

    The local modules differ between a checkout and an installed kit, and between pytest and the command line, so the
    same seed would draw other cases. Hypothesis has no setting for it.
    """
    with mock.patch.object(providers, "_get_local_constants", Constants):
        providers.CONSTANTS_CACHE.cache.clear()
        try:
            yield
        finally:
            providers.CONSTANTS_CACHE.cache.clear()


def values(strategy: SearchStrategy[Any], count: int) -> list[Any]:
    """Up to `count` values of any strategy, the simplest first, the same each time.

    Hypothesis generates the simplest value first, and raises only if there is no value at all.
    """
    drawn: list[Any] = []

    @profile(count, Phase.generate)
    @seed(0)
    @given(strategy)
    def collect(value: Any) -> None:
        drawn.append(value)

    with the_same_everywhere():
        collect()
    return drawn
