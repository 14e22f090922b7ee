"""Counting what became of each check over the cases of a run, in memory that does not grow with their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nnx_conformance.contract import Blocked, Check, Contract, Judgement, NotApplicable, Violation
from nnx_conformance.request import Request


class Shown(NamedTuple):
    """What a check is reported by; `smallest` tells whether the search for a smaller case came to its end."""

    request: Request
    violation: Violation
    smallest: bool = False


@dataclass
class Tally:
    """One check so far; `first` is what was asked when it was first violated, and how it was.

    A smaller drawn case that violates it in the same way takes its place: from there the smallest is nearer.
    """

    check: Check
    evaluated: int = 0
    violated: int = 0
    blocked: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    elsewhere: str = ""
    first: Shown | None = None

    def add(self, request: Request, judgement: Judgement, *, drawn: bool = False) -> None:
        """Count one judgement, of a case that was `drawn` or not."""
        if isinstance(judgement, Blocked):
            self.blocked[judgement.by] += 1
        elif isinstance(judgement, NotApplicable):
            self.reasons[judgement.reason] += 1
            self.elsewhere = judgement.reason if judgement.elsewhere else self.elsewhere
        else:
            self.evaluated += 1
        if isinstance(judgement, Violation):
            self.violated += 1
            if self.first is None or (drawn and _smaller(Shown(request, judgement), self.first)):
                self.first = Shown(request, judgement)

    def acquit(self, by: str) -> None:
        """Turn the violations into symptoms of another check."""
        self.blocked[by] += self.violated
        self.evaluated -= self.violated
        self.violated, self.first = 0, None


def _smaller(one: Shown, other: Shown) -> bool:
    """Whether a violation shows the same as the other, on a smaller case of the same domain."""

    def same(shown: Shown) -> tuple[object, ...]:
        violation = shown.violation
        return shown.request.case.domain, violation.cause, violation.symptom_of, violation.follows

    return same(one) == same(other) and _size(one.request) < _size(other.request)


def _size(request: Request) -> int:
    return sum(argument.data.size for argument in request.case.arguments) + request.calls


def judge(checks: Iterable[Check], request: Request, seen: Any) -> dict[str, Judgement]:
    """What each check that can be judged on this observation says of it."""
    return {check.id: check.judge(request.case, seen) for check in checks if check.applies(request)}


def tallies(contract: Contract) -> dict[str, Tally]:
    """An empty tally for each check."""
    return {check.id: Tally(check) for check in contract.checks}
