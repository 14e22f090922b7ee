"""Counts the judgements of each check over all cases, in constant memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nnx_conformance.core.claim import Claim
from nnx_conformance.core.contract import (
    CORE,
    Blocked,
    Check,
    Contract,
    Judged,
    Judgement,
    NotApplicable,
    Unseen,
    Violation,
    judged,
)
from nnx_conformance.core.plan import Request

#: What a check says of a case for which there was no time.
LATE = Unseen("there was no time for it", "If it does come to an end, give it more time with `--case-timeout`.")


@dataclass(frozen=True, eq=False)
class Example:
    """A case that violates a check: what its finding is made of.

    Attributes:
        facts: of the case; None where the candidate's process ended on it.
        smallest: whether the search for a smaller case came to its end.
        condition: the conditions of the source without which the check is not violated; empty where it is.
        shows: the check, and the example of it, that timeline and script show; None for this one.
    """

    request: Request
    violation: Violation
    facts: Any = None
    smallest: bool = False
    shows: tuple[str, Example] | None = None
    condition: str = ""


@dataclass
class Tally:
    """One check so far, and an example of its violations.

    That is the first one, until a smaller drawn case violates the check in the same way: from there the smallest case
    is nearer. `own_reasons` are those of the check's own domain, which say more than those of others. `proved` are the
    inputs, such as `float32[2,3]`, for whose values a case proves the check. `claims` are what it compared on cases
    where it holds, until they are asserted.
    """

    check: Check
    evaluated: int = 0
    violated: int = 0
    drawn: int = 0
    blocked: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    own_reasons: Counter[str] = field(default_factory=Counter)
    unseen: Counter[Unseen] = field(default_factory=Counter)
    example: Example | None = None
    proved: dict[str, None] = field(default_factory=dict)
    claims: list[tuple[Request, tuple[Claim, ...]]] = field(default_factory=list)

    @property
    def missing(self) -> Unseen | None:
        """What cases did not show: what the author can do something about, and then what most did not show."""
        return max(self.unseen, key=lambda why: (bool(why.remedy), self.unseen[why]), default=None)

    @property
    def late(self) -> bool:
        """Whether time ran out: on any case of an edge, or on all of the core."""
        return bool(self.unseen[LATE]) and (not self.evaluated or CORE not in self.check.domains)

    def add(self, request: Request, judgement: Judgement, facts: Any = None, *, drawn: bool = False) -> None:
        """Count one judgement, of a case that was `drawn` or not."""
        if isinstance(judgement, Blocked):
            self.blocked[judgement.by] += 1
        elif isinstance(judgement, NotApplicable):
            self.reasons[judgement.reason] += 1
            self.own_reasons[judgement.reason] += request.case.domain == self.check.domain
        elif isinstance(judgement, Unseen):
            self.unseen[judgement] += 1
        else:
            self.evaluated += 1
        if isinstance(judgement, Violation):
            self.violated += 1
            self.drawn += drawn
            example = Example(request, judgement, facts)
            if self.example is None or (drawn and _smaller(example, self.example)):
                self.example = example

    def refute(self, request: Request, violation: Violation) -> None:
        """Count a case as violated that was counted as held."""
        self.violated += 1
        self.example = self.example or Example(request, violation)

    def acquit(self, by: str) -> None:
        """Count the violations as blocked by another check."""
        self.blocked[by] += self.violated
        self.evaluated -= self.violated
        self.violated, self.example = 0, None


def _smaller(example: Example, other: Example) -> bool:
    """Whether an example shows the same violation as another, on a smaller case of the same domain."""

    def way(example: Example) -> tuple[object, ...]:
        violation = example.violation
        return example.request.case.domain, violation.cause, violation.because

    return way(example) == way(other) and _size(example.request) < _size(other.request)


def _size(request: Request) -> int:
    return sum(argument.data.size for argument in request.case.arguments) + request.calls


def judge(contract: Contract, request: Request, facts: Any, checks: Iterable[Check] | None = None) -> dict[str, Judged]:
    """The judgement of each check that applies to this request; reads its facts once."""
    reading = contract.read(request.case, facts)
    applying = (check for check in (contract.checks if checks is None else checks) if check.applies(request))
    return {check.id: judged(check, request.case, reading) for check in applying}


def tallies(contract: Contract) -> dict[str, Tally]:
    """An empty tally for each check."""
    return {check.id: Tally(check) for check in contract.checks}
