"""From violations to findings that stand: the smallest case of each, and causes apart from symptoms.

A violation that is seen at one time and not at another, or only after other cases ran, is no violation of its own: the
candidate breaks the contract's history check, and the rest is blocked by that.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping

from nnx_conformance import engine
from nnx_conformance.asking import CAUSES, ENDED, Asking
from nnx_conformance.case import Case
from nnx_conformance.contract import CORE, MUST, Judgement, Violation
from nnx_conformance.drawn import parts
from nnx_conformance.engine import Shrunk
from nnx_conformance.judge import Judging
from nnx_conformance.request import Request
from nnx_conformance.session import Ended, Progress
from nnx_conformance.tally import Shown, Tally, judge

SHRINK_SECONDS, ALL_SECONDS = 15.0, 45.0
#: How often a smallest case must break its check again; more often where one and the same case gave different results.
CONFIRMATIONS, BY_CHANCE = 3, 10
#: How often a case is tried that breaks its check by chance.
TRIES = 20

#: Ends of a candidate's process that each try would have to wait for.
SLOW_TO_SHRINK = ("timed out", "malformed")

HISTORY = "the result depends on what ran before, on chance or on time"


class Smallest:
    """Works on the tallies of a judging; `found` holds the smallest case of each violated check.

    A search that shrinks on its way gives the smallest cases that it `knows`, by check; no others are looked for then.
    """

    def __init__(
        self,
        judging: Judging,
        progress: Progress,
        waived: frozenset[str] = frozenset(),
        known: Mapping[str, Shrunk] | None = None,
    ) -> None:
        self._judging = judging
        self._known = known
        self._waived = waived
        self._asking = judging.asking
        self._settings = judging.settings
        self._history = judging.tallies[judging.contract.history]
        self._progress = progress
        self.found: dict[str, Shown] = {}

    def run(self) -> None:
        """Drop symptoms, shrink, and confirm what is left."""
        self._drop_symptoms()
        self._drop_what_the_first_case_kept()
        if not self._violated():
            return
        # Started now, it imports what it needs while the smallest cases are looked for.
        fresh = self._asking.fresh() if self._asking.isolated and self._to_confirm() else None
        try:
            self._shrink_all()
            if fresh:
                self._confirm(fresh)
        finally:
            if fresh:
                fresh.close()

    def _violated(self) -> list[Tally]:
        chosen = self._settings.checks
        return [
            tally
            for tally in self._judging.tallies.values()
            if tally.first and (not chosen or tally.check.id in chosen)
        ]

    def _drop_symptoms(self) -> None:
        """What follows from another violated check is blocked by it."""
        for tally in self._violated():
            assert tally.first is not None
            causes = [cause for cause in tally.first[1].symptom_of if self._judging.tallies[cause].violated]
            if causes:
                tally.acquit(causes[0])

    def _drop_what_the_first_case_kept(self) -> None:
        """A check that the first case of all kept and now breaks is broken by what ran in between."""
        if self._judging.head is None:
            return
        request, broken = self._judging.head
        others = [tally for tally in self._violated() if _essential(tally) and tally is not self._history]
        kept = [tally for tally in others if tally.check.id not in broken]
        suspects = [tally for tally in kept if tally.check.applies(request)]
        if not suspects:
            return
        try:
            self._asking.submit(request)
            now = judge([tally.check for tally in suspects], request, self._asking.collect())
        except Ended:
            self._asking.restart()
            return
        for tally in suspects:
            if isinstance(violation := now[tally.check.id], Violation):
                self._acquit(tally, request, violation)

    def _acquit(self, tally: Tally, request: Request, violation: Violation) -> None:
        """Count a check's violations as symptoms of history."""
        if not self._history.violated:
            what = f"one and the same case kept and broke {tally.check.id}: {violation.what}"
            self._history.add(request, dataclasses.replace(violation, what=what, cause=HISTORY))
        if self._history.first and self._history.check.id not in self.found:
            self.found[self._history.check.id] = self._history.first
        self.found.pop(tally.check.id, None)
        tally.acquit(self._history.check.id)

    def _shrink_all(self) -> None:
        deadline = time.monotonic() + ALL_SECONDS
        violated = self._violated()
        for done, tally in enumerate(violated):
            self._progress("smallest cases", done, len(violated))
            self._shrink(tally, min(SHRINK_SECONDS, deadline - time.monotonic()))

    def _shrink(self, tally: Tally, seconds: float) -> None:
        assert tally.first is not None
        request, violation, _ = tally.first
        if violation.cause == HISTORY or violation.observed in SLOW_TO_SHRINK:
            self.found[tally.check.id] = Shown(request, violation, self._is_head(request))
            return
        case, settled = self._smaller(tally, request, seconds)
        request = self._at(request, case)
        if violation.observed in CAUSES:
            self.found[tally.check.id] = Shown(request, violation, settled)  # each confirmation would cost a process
            return
        again = self._again(tally, request)
        again += filter(None, [self._followed(tally, request)])
        if all(map(_stands, again)) or tally is self._history or not _essential(tally):
            seen = [known for known in again if isinstance(known, Violation)]
            self.found[tally.check.id] = Shown(request, seen[-1], settled) if seen else tally.first
        else:
            self._acquit(tally, request, violation)

    def _again(self, tally: Tally, request: Request) -> list[Judgement]:
        """What the case comes to when it is asked for again, until it does not break its check."""
        found: list[Judgement] = []
        while len(found) < (BY_CHANCE if self._history.violated else CONFIRMATIONS) and all(map(_stands, found)):
            found.append(self._asking.judge(tally.check, request))
        return found

    def _is_head(self, request: Request) -> bool:
        """Whether it is the first case of all; Hypothesis draws the smallest case first."""
        head = self._judging.head
        return head is not None and request.case.key == head[0].case.key

    def _smaller(self, tally: Tally, request: Request, seconds: float) -> Shrunk:
        known = Shrunk(request.case, self._is_head(request))
        if not self._settings.shrink or seconds <= 0 or known.settled or tally.check.id in self._waived:
            return known
        bare = self._bare(tally, request)
        found = self._shrunk(tally, bare, seconds)
        # A smaller case that breaks the check only while nothing else is asked about it is none.
        stands = bare is request or self._violation(tally, self._at(request, found.case)) is not None
        return found if stands else known

    def _bare(self, tally: Tally, request: Request) -> Request:
        """The request without the further runs that its check does not need, if the case breaks the check then, too."""
        spare = set(self._judging.contract.observer.every_probe) - set(tally.check.probes)
        probes = tuple(probe for probe in request.probes if probe not in spare)
        bare = dataclasses.replace(request, probes=probes)
        return bare if probes != request.probes and self._violation(tally, bare) is not None else request

    def _at(self, request: Request, case: Case) -> Request:
        return dataclasses.replace(request, case=case, calls=self._judging.contract.calls(case))

    def _shrunk(self, tally: Tally, request: Request, seconds: float) -> Shrunk:
        def violates(case: Case) -> bool:
            return self._violation(tally, self._at(request, case)) is not None

        as_it_is = Shrunk(request.case, settled=False)
        if self._known is not None:
            return self._known.get(tally.check.id, as_it_is)
        domain = next(domain for domain in self._judging.contract.domains if domain.name == request.case.domain)
        for part in parts(domain, self._settings.seed):
            count = part.count(self._settings.max_examples)
            if found := engine.shrink(part.cases, count, self._settings.seed, request.case, violates, seconds):
                return found
        return as_it_is

    def _violation(self, tally: Tally, request: Request) -> Violation | None:
        found = self._asking.judge(tally.check, request)
        return found if isinstance(found, Violation) else None

    def _followed(self, tally: Tally, request: Request) -> Violation | None:
        """The violation once more, from a run that is followed line by line, which names the line."""
        if not (lines := self._judging.contract.observer.lines):
            return None
        request = dataclasses.replace(request, probes=(*request.probes, lines))
        tries = TRIES if tally is self._history else 1  # what is owed to chance need not show at once
        return next(filter(None, (self._violation(tally, request) for _ in range(tries))), None)

    def _confirm(self, fresh: Asking) -> None:
        """Each finding must show where nothing ran before, as its replay will; else history is to blame."""
        for tally in self._to_confirm():
            request, violation, _ = self.found[tally.check.id]
            if not _stands(fresh.judge(tally.check, request)):
                self._acquit(tally, request, violation)
                fresh.restart()

    def _to_confirm(self) -> list[Tally]:
        found = [tally for tally in self._violated() if _essential(tally) and tally is not self._history]
        living = [tally for tally in found if tally.first and tally.first[1].observed not in CAUSES]
        return [tally for tally in living if not self._shown_first(tally)]

    def _shown_first(self, tally: Tally) -> bool:
        """Whether the finding is of the first case of all: nothing had run before it, so no fresh process is needed."""
        found = self.found.get(tally.check.id, tally.first)
        head = self._judging.head
        if head is None or found is None or tally.check.id not in head[1]:
            return False
        return self._is_head(found.request)


def _stands(again: Judgement) -> bool:
    """Whether a finding stands after it was asked for once more: a process that ran out of time does not refute it."""
    return isinstance(again, Violation) or again is ENDED


def _essential(tally: Tally) -> bool:
    # Advice may show on a first run only: JAX compiles once, and a line warns once.
    return tally.check.level == MUST and CORE in tally.check.domains
