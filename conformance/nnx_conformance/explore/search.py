"""The search of `explore`: judges cases of a contract's core domain for a given time, and counts what they cover."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import CORE, Violation
from nnx_conformance.core.plan import Request, RunPlan
from nnx_conformance.core.search.exploration import Exploration
from nnx_conformance.process.session import Ended, Progress

if TYPE_CHECKING:
    from nnx_conformance.judging.engine import Shrunk
    from nnx_conformance.judging.judge import Judging

#: The time limit for shrinking one finding.
SHRINK_SECONDS = 30.0
#: The most pairs to name.
FEW = 8


@dataclass
class Coverage:
    """What the cases of a search covered.

    Attributes:
        cases: their number.
        done: how often each operation ran.
        pairs: how often one operation ran directly after another.
        skipped: for each operation, how often it was skipped, by reason.
        best: the highest value of each score.
    """

    cases: int = 0
    done: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    skipped: dict[str, Counter[str]] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)

    def add(self, steps: Iterable[tuple[str, str]], scores: Mapping[str, float]) -> None:
        """Count one case."""
        steps = list(steps)
        done = [name for name, reason in steps if not reason]
        self.cases += 1
        self.done.update(done)
        self.pairs.update(itertools.pairwise(done))
        for name, reason in steps:
            if reason:
                self.skipped.setdefault(name, Counter())[reason] += 1
        for label, score in scores.items():
            self.best[label] = max(score, self.best.get(label, score))

    def unmet(self) -> list[tuple[str, str]]:
        """The pairs of operations that both ran, but never one directly after the other."""
        return [(a, b) for a in sorted(self.done) for b in sorted(self.done) if not self.pairs[a, b]]

    def never(self, operations: Iterable[str]) -> dict[str, str]:
        """The operations that never ran, with the most frequent reason; empty if they were not drawn."""
        missed = [name for name in operations if name not in self.done]
        return {name: next(iter(self.skipped.get(name, Counter[str]()).most_common(1)), ("",))[0] for name in missed}

    def data(self, operations: Iterable[str]) -> dict[str, Any]:
        """The coverage of these operations, as JSON data."""
        operations = tuple(operations)
        return {
            "cases": self.cases,
            "operations": {name: self.done[name] for name in operations},
            "pairs": {f"{first} {second}": count for (first, second), count in sorted(self.pairs.items())},
            "never": self.never(operations),
            "highest": self.best,
        }


class Exploring:
    """One search. Called with a judging, it judges until the time is up; the smallest case of each violated check.

    The first case that violates a check ends a round and is shrunk; the next round searches for violations of others.
    """

    def __init__(self, exploration: Exploration, seconds: float, folder: Path, progress: Progress) -> None:
        self.coverage = Coverage()
        self._exploration = exploration
        self._seconds = seconds
        self._folder = folder
        self._progress = progress
        self._smallest: dict[str, Shrunk] = {}
        self._shrinking = ""
        self._until = 0.0

    def __call__(self, judging: Judging) -> Mapping[str, Shrunk]:
        """Search until the time is up; the smallest case of each violated check."""
        from nnx_conformance.judging import engine

        self._judging = judging
        self._end = time.monotonic() + self._seconds
        cases, seed = self._exploration.cases(), judging.settings.seed
        for case in self._exploration.first(seed):
            if time.monotonic() < self._end:
                self._judged(case)
                for check_id in self._violated():
                    self._smallest.setdefault(check_id, engine.Shrunk(case, settled=False))
        while time.monotonic() < self._end:
            self._shrinking = ""
            if smallest := engine.search(cases, seed, self._folder, self._visit):
                self._smallest[self._shrinking] = engine.Shrunk(smallest, time.monotonic() < self._until)
            seed += 1
        return self._smallest

    def lines(self) -> list[str]:
        """The coverage as text."""
        coverage, operations = self.coverage, self._exploration.operations
        done, pairs, unmet = len(coverage.done), len(coverage.pairs), coverage.unmet()
        lines = [
            f"{coverage.cases} sequences with {coverage.done.total()} operations carried out",
            f"{done} of {len(operations)} operations, {pairs} of {done * done} pairs of these",
        ]
        lines += [f"never      {name}: {why or 'it was not drawn'}" for name, why in coverage.never(operations).items()]
        if unmet:
            some = ", ".join(f"{first} {second}" for first, second in unmet[:FEW])
            lines.append(f"unmet      {some}{f' and {len(unmet) - FEW} more' if len(unmet) > FEW else ''}")
        wording = self._exploration.wording
        return [*lines, *(f"{label:<10} {wording[label].format(score)}" for label, score in coverage.best.items())]

    def data(self) -> dict[str, Any]:
        """The coverage as JSON data."""
        return self.coverage.data(self._exploration.operations)

    def _visit(self, case: Case) -> Mapping[str, float] | None:
        from nnx_conformance.judging import engine

        if self._shrinking:
            return None if self._violates(case) else {}
        rest = self._end - time.monotonic()
        if rest <= 0:
            raise engine.TimeUp
        self._progress(
            f"{len(self._smallest)} found, {self.coverage.cases} cases", int(self._seconds - rest), int(self._seconds)
        )
        scores = self._judged(case)
        new = next((check_id for check_id in self._violated() if check_id not in self._smallest), "")
        if not new:
            return scores
        self._shrinking, self._until = new, time.monotonic() + SHRINK_SECONDS
        self._smallest[new] = engine.Shrunk(case, settled=False)
        return None

    def _judged(self, case: Case) -> dict[str, float]:
        try:
            self._judging.visit(case, wait=True)
        except Ended as ended:
            self._judging.ended(self._request(case), ended)
            self.coverage.add((), {})
            return {}
        facts = self._judging.facts
        scores = self._exploration.scores(facts)
        self.coverage.add(self._exploration.done(facts), scores)
        return scores

    def _violated(self) -> list[str]:
        """The violated checks, except by the end of a process: shrinking those would end a process per attempt."""
        tallies = self._judging.tallies.values()
        return [
            tally.check.id
            for tally in tallies
            if (example := tally.example) and example.request.case.domain == CORE and not example.violation.end
        ]

    def _violates(self, case: Case) -> bool:
        """Whether a smaller case still violates the check that is being shrunk."""
        if time.monotonic() >= self._until:
            return False
        check = self._judging.contract.check(self._shrinking)
        judgement, _ = self._judging.client.judge(check, self._request(case))
        return isinstance(judgement, Violation)

    def _request(self, case: Case) -> Request:
        return Request(case, RunPlan(), self._judging.contract.calls(case))
