"""Causes before symptoms: finds the violated check that explains each violation.

A check names in `Violation.because` the checks that its violation may follow from. What of that holds is worked out
here, for all contracts and every output: from the tallies once the cases are judged, and again once the violations are
confirmed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from nnx_conformance.core.contract import CORE, MUST
from nnx_conformance.core.plan import Request
from nnx_conformance.judging.tally import Example, Tally

HISTORY = "the result depends on what ran before, on chance or on time"


def block_on_edges(violated: Iterable[Tally], tallies: Mapping[str, Tally]) -> None:
    """Block edge checks by the violated core check that explains them: then the edge adds nothing."""
    for tally in violated:
        assert tally.example is not None
        causes = [check for check in tally.example.violation.because if tallies[check].violated]
        if causes and CORE not in tally.check.domains:
            tally.acquit(causes[0])


def blame_history(history: Tally, tally: Tally, request: Request, example: Example) -> None:
    """Block a check that the same case both kept and broke by the contract's history check.

    Where the history check was not violated by itself, it is now.

    Args:
        request: of that case.
        example: of the violation.
    """
    if not history.violated:
        violation = example.violation
        what = f"one and the same case kept and broke {tally.check.id}: {violation.what}"
        unsteady = dataclasses.replace(violation, what=what, cause=HISTORY)
        history.add(request, unsteady)
        history.example = Example(request, unsteady, shows=(tally.check.id, example))
    tally.acquit(history.check.id)


def roots(reported: Iterable[Tally]) -> dict[str, str]:
    """The root of each violated check: itself, unless it follows from another.

    Of checks that follow from each other in a circle, the first is the root. A MUST check follows from no SHOULD check:
    what decides the verdict is not hidden under advice.
    """
    violated = {tally.check.id: (tally.check.level, tally.example) for tally in reported if tally.example}

    def cause(check: str) -> str:
        level, example = violated[check]
        known = [by for by in example.violation.because if by in violated and by != check]
        return next((by for by in known if level != MUST or violated[by][0] == MUST), "")

    def root(check: str) -> str:
        path = [check]
        while by := cause(path[-1]):
            if by in path:
                return next(first for first in violated if first in path[path.index(by) :])
            path.append(by)
        return path[-1]

    return {check: root(check) for check in violated}
