"""The first tier: a few drawn cases, judged first; a candidate that breaks a MUST check on them is done.

`grade` judges so. Which cases they are is data of the contract: a set cover over its mutants, see `audit/cover.py`.
Whoever passes is judged on all the others, so the first tier changes what a verdict costs, and not the verdict.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nnx_conformance.core.contract import CORE, MUST, Check, Violation
from nnx_conformance.judging.causes import blame_history, block_on_edges
from nnx_conformance.judging.tally import Example, Tally, judge
from nnx_conformance.process.session import Ended

if TYPE_CHECKING:
    from nnx_conformance.core.plan import Request
    from nnx_conformance.judging.client import Client
    from nnx_conformance.judging.judge import Judging


class DrawnAt(NamedTuple):
    """The origin of a case: its domain, and its position in that domain, from 0."""

    domain: str
    position: int


@dataclass(frozen=True)
class Tier:
    """The drawn cases to judge first.

    Attributes:
        positions: for each domain, the positions of these cases among those that are drawn. One at which none is
            drawn, as fewer are asked for, means nothing.
    """

    positions: tuple[tuple[str, tuple[int, ...]], ...]

    def of(self, domain: str) -> tuple[int, ...]:
        """The positions in a domain."""
        return next((positions for name, positions in self.positions if name == domain), ())


#: For a contract that names none: Hypothesis and the corners of a domain draw what is simple first.
DEFAULT = Tier(((CORE, tuple(range(16))),))


def decided(judging: Judging, tier: Tier) -> bool:
    """Judge the first tier; returns whether a case breaks a MUST check, in a fresh process too.

    What a candidate shows only because other cases ran before is blamed on the history check, as in a whole run.
    """
    judging.first_tier(tier)
    if judging.over or not any(_decides(tally) for tally in judging.tallies.values()):
        return False
    violated = [tally for tally in judging.tallies.values() if tally.example]
    block_on_edges(violated, judging.tallies)
    fresh = judging.client.fresh()
    try:
        for request, shown in _by_request(violated):
            _confirm(judging, fresh, request, shown)
    finally:
        fresh.close()
    return any(_decides(tally) for tally in judging.tallies.values())


def confirmed(client: Client, check: Check, request: Request) -> Violation | None:
    """The violation of a check once more, in a fresh process, with its line; None if it does not show there."""
    fresh = client.fresh()
    try:
        for asked in (_followed(client, request), request):
            judgement, _ = fresh.judge(check, asked)
            if isinstance(judgement, Violation):
                return judgement
        return None
    finally:
        fresh.close()


def _followed(client: Client, request: Request) -> Request:
    """The request, followed line by line if possible, to find the lines of findings."""
    follow = client.contract.observer.follows
    return dataclasses.replace(request, plan=dataclasses.replace(request.plan, follow=follow))


def _decides(tally: Tally) -> bool:
    """Whether a violation ends the run; one on an edge may follow from a violation not yet observed."""
    if tally.check.level != MUST or tally.example is None:
        return False
    return CORE in tally.check.domains or not tally.example.violation.because


def _by_request(violated: Iterable[Tally]) -> Iterable[tuple[Request, list[Tally]]]:
    """The checks by the request that shows their violations: one run confirms all of them."""
    shown: dict[str, tuple[Request, list[Tally]]] = {}
    for tally in violated:
        if tally.example and not tally.example.violation.end:  # each confirmation of an end would cost a process
            request = tally.example.request
            shown.setdefault(f"{request.case.key} {request.plan}", (request, []))[1].append(tally)
    return shown.values()


def _confirm(judging: Judging, fresh: Client, request: Request, shown: list[Tally]) -> None:
    """Repeat a request in a fresh process, first followed line by line to find the lines of findings."""
    for asked in (_followed(fresh, request), request):
        try:
            fresh.submit(asked)
            facts = fresh.collect()
        except Ended:  # a process that ends, or runs out of time, refutes nothing
            fresh.restart()
            return
        now = judge(judging.contract, asked, facts, [tally.check for tally in shown])
        for tally in list(shown):
            if isinstance(violation := now[tally.check.id].judgement, Violation):
                tally.example = Example(request, violation, facts)
                shown.remove(tally)
        if not shown:
            return
    history = judging.tallies[judging.contract.history]
    for tally in shown:
        if tally is not history and tally.example and tally.check.level == MUST and CORE in tally.check.domains:
            blame_history(history, tally, request, tally.example)
