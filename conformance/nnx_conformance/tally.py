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
    """One check so far; `first` is what was asked when it was first violated, and how it was."""

    check: Check
    evaluated: int = 0
    violated: int = 0
    blocked: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    elsewhere: str = ""
    first: Shown | None = None

    def add(self, request: Request, judgement: Judgement) -> None:
        """Count one judgement."""
        if isinstance(judgement, Blocked):
            self.blocked[judgement.by] += 1
        elif isinstance(judgement, NotApplicable):
            self.reasons[judgement.reason] += 1
            self.elsewhere = judgement.reason if judgement.elsewhere else self.elsewhere
        else:
            self.evaluated += 1
        if isinstance(judgement, Violation):
            self.violated += 1
            self.first = self.first or Shown(request, judgement)

    def acquit(self, by: str) -> None:
        """Turn the violations into symptoms of another check."""
        self.blocked[by] += self.violated
        self.evaluated -= self.violated
        self.violated, self.first = 0, None


def judge(checks: Iterable[Check], request: Request, seen: Any) -> dict[str, Judgement]:
    """What each check that can be judged on this observation says of it."""
    return {check.id: check.judge(request.case, seen) for check in checks if check.applies(request)}


def tallies(contract: Contract) -> dict[str, Tally]:
    """An empty tally for each check."""
    return {check.id: Tally(check) for check in contract.checks}
