"""One candidate to judge, and how often that is tried."""

from __future__ import annotations

from dataclasses import dataclass

from nnx_conformance.grading import outcome
from nnx_conformance.grading.outcome import Outcome

#: A candidate at which a judge died is given to another this often; then the kit has failed at it.
TRIES = 3


@dataclass(frozen=True)
class Work:
    """One candidate, by the key of its result.

    Attributes:
        key, id, source: which.
        checks: the ids of those that judge it; empty for those of the order.
    """

    key: str
    id: str
    source: bytes
    checks: tuple[str, ...] = ()


class Tries:
    """How often judges have died at a candidate."""

    def __init__(self) -> None:
        self._died: dict[str, int] = {}

    def died(self, work: Work) -> Outcome | None:
        """Count a death; the outcome if there is to be no further try."""
        self._died[work.key] = self._died.get(work.key, 0) + 1
        if self._died[work.key] < TRIES:
            return None
        return outcome.failed(work.key, f"the process of the judge ended {TRIES} times while it judged this")
