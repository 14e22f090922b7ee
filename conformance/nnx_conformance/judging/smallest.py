"""From violations to confirmed findings, each with its smallest case.

A violation that shows at one time and not at another, or only after other cases ran, is no violation of its own: the
candidate breaks the contract's history check, and the rest is blocked by that.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nnx_conformance.core.candidate.loaded import End
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import CORE, MUST, Judgement, Violation
from nnx_conformance.core.plan import Request
from nnx_conformance.judging import engine
from nnx_conformance.judging.causes import HISTORY, blame_history, block_on_edges
from nnx_conformance.judging.client import ENDED, Client
from nnx_conformance.judging.drawn import parts
from nnx_conformance.judging.engine import Shrunk
from nnx_conformance.judging.judge import Judging
from nnx_conformance.judging.tally import Example, Tally, judge
from nnx_conformance.process.session import Ended, Progress

Smaller = Callable[[Case], Iterable[Case]]
SHRINK_SECONDS, ALL_SECONDS = 15.0, 45.0
#: How often a smallest case must break its check again; more often where one and the same case gave different results.
CONFIRMATIONS, BY_CHANCE = 3, 10
#: So many processes may end, or run out of time, for a smaller case on which one ends.
ENDS = 3
#: How often a case is tried that breaks its check by chance.
TRIES = 20


class Smallest:
    """Works on the tallies of a judging: each example becomes the smallest case that violates the check, confirmed.

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
        self._client = judging.client
        self._settings = judging.settings
        self._history = judging.tallies[judging.contract.history]
        self._progress = progress
        self._ended = 0

    def run(self) -> None:
        """Block symptoms, shrink, and confirm what is left."""
        block_on_edges(self._violated(), self._judging.tallies)
        self._repeat_the_first_case()
        if not self._violated():
            return
        # Started now, it imports what it needs while the smallest cases are looked for.
        fresh = self._client.fresh() if self._client.isolated and self._to_confirm() else None
        try:
            self._shrink_all()
            if fresh:
                self._confirm(fresh)
            self._name_conditions()
        finally:
            if fresh:
                fresh.close()

    def _name_conditions(self) -> None:
        """Name the conditions of a check that no drawn case violates."""
        for tally in self._violated():
            leading, example = self._judging.leading, tally.example
            if leading and example and not tally.drawn and example.request.case.key in self._judging.led:
                texts = leading.only_where(example.request.case)
                tally.example = dataclasses.replace(example, condition=" and ".join(f"`{text}`" for text in texts))

    def _violated(self) -> list[Tally]:
        chosen = self._settings.checks
        return [
            tally
            for tally in self._judging.tallies.values()
            if tally.example and (not chosen or tally.check.id in chosen)
        ]

    def _repeat_the_first_case(self) -> None:
        """A check that the first case of all kept and now breaks is broken by what ran in between."""
        if self._judging.first is None:
            return
        request, broken = self._judging.first
        others = [tally for tally in self._violated() if _essential(tally) and tally is not self._history]
        suspects = [tally for tally in others if tally.check.id not in broken and tally.check.applies(request)]
        if not suspects:
            return
        try:
            self._client.submit(request)
            facts = self._client.collect()
        except Ended:
            self._client.restart()
            return
        now = judge(self._judging.contract, request, facts, [tally.check for tally in suspects])
        for tally in suspects:
            if isinstance(violation := now[tally.check.id].judgement, Violation):
                blame_history(self._history, tally, request, Example(request, violation, facts))

    def _shrink_all(self) -> None:
        deadline = time.monotonic() + ALL_SECONDS
        violated = self._violated()
        for done, tally in enumerate(violated):
            self._progress("smallest cases", done, len(violated))
            self._shrink(tally, min(SHRINK_SECONDS, deadline - time.monotonic()))

    def _shrink(self, tally: Tally, seconds: float) -> None:
        assert tally.example is not None
        example = tally.example
        request, violation = example.request, example.violation
        # Each try would have to wait for another process to send too much.
        if violation.cause == HISTORY or violation.end is End.MALFORMED:
            tally.example = dataclasses.replace(example, smallest=self._is_first(request))
            return
        case, settled = self._smaller(tally, request, seconds)
        request = self._at(request, case)
        if violation.end:
            tally.example = Example(request, violation, smallest=settled)  # each confirmation would cost a process
            return
        again = self._again(tally, request)
        if followed := self._followed(tally, request):
            again.append(followed)
        if all(_stands(judgement) for judgement, _ in again) or tally is self._history or not _essential(tally):
            for judgement, facts in again:
                if isinstance(judgement, Violation):
                    tally.example = Example(request, judgement, facts, settled)
        else:
            blame_history(self._history, tally, request, example)

    def _again(self, tally: Tally, request: Request) -> list[tuple[Judgement, Any]]:
        """The judgements and facts of repeated runs of a case, until one does not break its check."""
        judged: list[tuple[Judgement, Any]] = []
        times = BY_CHANCE if self._history.violated else CONFIRMATIONS
        while len(judged) < times and all(_stands(judgement) for judgement, _ in judged):
            judged.append(self._client.judge(tally.check, request))
        return judged

    def _followed(self, tally: Tally, request: Request) -> tuple[Violation, Any] | None:
        """The violation from another run, followed line by line to find its line."""
        if not self._judging.contract.observer.follows:
            return None
        request = dataclasses.replace(request, plan=dataclasses.replace(request.plan, follow=True))
        for _ in range(TRIES if tally is self._history else 1):  # what is owed to chance need not show at once
            judgement, facts = self._client.judge(tally.check, request)
            if isinstance(judgement, Violation):
                return judgement, facts
        return None

    def _is_first(self, request: Request) -> bool:
        """Whether it is the first case of all; Hypothesis draws the smallest case first."""
        first = self._judging.first
        return first is not None and request.case.key == first[0].case.key

    def _smaller(self, tally: Tally, request: Request, seconds: float) -> Shrunk:
        known = Shrunk(request.case, self._is_first(request))
        led = request.case.key in self._judging.led and self._judging.leading
        smaller = led.components.nearer if led else self._judging.contract.smaller
        parts_can_go = smaller is not None and self._known is None
        settled = known.settled and not parts_can_go
        if not self._settings.shrink or seconds <= 0 or settled or tally.check.id in self._waived:
            return known
        bare = self._bare(tally, request)
        if smaller is not None and parts_can_go:
            shrunk = self._without_parts(tally, bare, smaller, seconds)
        else:
            shrunk = self._shrunk(tally, bare, seconds)
        if led:
            self._judging.led.add(shrunk.case.key)
        # A smaller case that breaks the check only while nothing else is asked about it is none.
        return shrunk if bare is request or self._violates(tally, self._at(request, shrunk.case)) else known

    def _bare(self, tally: Tally, request: Request) -> Request:
        """The request without the further runs that its check does not need, if the case breaks the check then, too."""
        anew = request.plan.compile_anew and not self._judging.contract.observer.everything.compile_anew
        plan = dataclasses.replace(request.plan, probes=tally.check.probes, compile_anew=anew)
        bare = dataclasses.replace(request, plan=plan)
        return bare if plan != request.plan and self._violates(tally, bare) else request

    def _without_parts(self, tally: Tally, request: Request, smaller: Smaller, seconds: float) -> Shrunk:
        """The case without the parts that it does not need to break its check: one by one, none of the rest can go."""
        case, deadline = request.case, time.monotonic() + seconds
        tried = {case.key}
        candidates = iter(smaller(case))
        while (candidate := next(candidates, None)) is not None:
            if candidate.key in tried:
                continue
            if time.monotonic() > deadline:
                return Shrunk(case, settled=False)
            tried.add(candidate.key)
            if self._violates(tally, self._at(request, candidate)):
                case, candidates = candidate, iter(smaller(candidate))
        return Shrunk(case, settled=True)

    def _shrunk(self, tally: Tally, request: Request, seconds: float) -> Shrunk:
        as_it_is = Shrunk(request.case, settled=False)
        if self._known is not None:
            return self._known.get(tally.check.id, as_it_is)
        domain = next(domain for domain in self._judging.contract.domains if domain.name == request.case.domain)
        deadline = time.monotonic() + seconds

        def violates(case: Case) -> bool:
            return self._violates(tally, self._at(request, case))

        for part in parts(domain, self._settings.seed):
            count = part.count(self._settings.max_examples)
            if shrunk := engine.shrink(part.cases, count, self._settings.seed, request.case, violates, seconds):
                if domain.components is None or not shrunk.settled:
                    return shrunk
                request = self._at(request, shrunk.case)
                return self._without_parts(tally, request, domain.components.smaller, deadline - time.monotonic())
        if domain.components is None:
            return as_it_is
        return self._without_parts(tally, request, domain.components.reduced, deadline - time.monotonic())

    def _at(self, request: Request, case: Case) -> Request:
        return dataclasses.replace(request, case=case, calls=self._judging.contract.calls(case))

    def _violates(self, tally: Tally, request: Request) -> bool:
        ends = tally.example is not None and tally.example.violation.end is not None
        if ends and self._ended >= ENDS:
            return False
        judgement, facts = self._client.judge(tally.check, request)
        self._ended += facts is None
        return isinstance(judgement, Violation)

    def _confirm(self, fresh: Client) -> None:
        """Each finding must show where nothing ran before, as its replay will; else history is to blame."""
        for tally in self._to_confirm():
            assert tally.example is not None
            if not _stands(fresh.judge(tally.check, tally.example.request)[0]):
                blame_history(self._history, tally, tally.example.request, tally.example)
                fresh.restart()

    def _to_confirm(self) -> list[Tally]:
        """What is violated in the core, but for what the first case of all shows: nothing had run before that."""
        violated = [tally for tally in self._violated() if _essential(tally) and tally is not self._history]
        return [
            tally
            for tally in violated
            if tally.example and not (tally.example.violation.end or self._shown_first(tally, tally.example))
        ]

    def _shown_first(self, tally: Tally, example: Example) -> bool:
        first = self._judging.first
        return first is not None and tally.check.id in first[1] and self._is_first(example.request)


def _stands(again: Judgement) -> bool:
    """Whether a repeated case confirms its finding; a process that ran out of time does not refute it."""
    return isinstance(again, Violation) or again is ENDED


def _essential(tally: Tally) -> bool:
    # Advice may show on a first run only: JAX compiles once, and a line warns once.
    return tally.check.level == MUST and CORE in tally.check.domains
