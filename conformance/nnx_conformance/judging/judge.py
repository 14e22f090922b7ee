"""Judging the cases of one candidate: draw them, observe them, let every check judge every case, and count."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from typing import Any

from nnx_conformance.core.candidate.loaded import End
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import CORE, Contract, Violation
from nnx_conformance.core.observer import Sight
from nnx_conformance.core.plan import Request
from nnx_conformance.core.report import Settings
from nnx_conformance.core.search.conditions import Conditions, Met, summed
from nnx_conformance.core.search.domain import Domain
from nnx_conformance.judging.assertions import TOGETHER, settle
from nnx_conformance.judging.client import Client, died
from nnx_conformance.judging.drawn import Draw, parts
from nnx_conformance.judging.leading import GIVEN, Leading
from nnx_conformance.judging.tally import LATE, judge, tallies
from nnx_conformance.process.session import Ended, Progress

#: Requests that are under way while the judge draws and judges others.
DEPTH = 8
#: Of so many cases to which conditions lead, all further runs are made: what is wrong there alone may show in an
#: intervention alone.
LED = 48
#: Looking for these cases may take so many seconds at least, and as long as judging the drawn ones took.
LEAST_SECONDS = 30.0


class Judging:
    """One candidate under one contract; `run` fills the tallies.

    Attributes:
        tallies: by check.
        cases: how many were observed.
        first: the first request of all, and which checks it violated; None before it was answered.
        facts: the last ones.
        time_up: why a case could not be judged in time, or all the others; None if there was time for all.
        leading: leads to the candidate's conditions; None where it has none, or they are not looked for.
        led: the keys of the cases that it led to.
    """

    def __init__(
        self,
        contract: Contract,
        client: Client,
        settings: Settings,
        draw: Draw,
        progress: Progress,
        leads: bool = False,
    ) -> None:
        self.contract = contract
        self.client = client
        self.settings = settings
        self.tallies = tallies(contract)
        self.cases = 0
        self.first: tuple[Request, frozenset[str]] | None = None
        self.facts: Any = None
        self.time_up: Ended | None = None
        self.leading: Leading | None = None
        self.led: set[str] = set()
        self._draw = draw
        self._leads = leads
        self._given: list[Case] = []
        self._met: dict[Met, None] = {}
        self._progress = progress
        self._pending: deque[Request] = deque()
        self._drawing = False
        self._sight = Sight()
        self._total = settings.max_examples
        self._started = time.monotonic()

    def run(self) -> None:
        """Judge the planned domains; a candidate that does not survive the core is not taken to the edges."""
        planned = [domain for domain in self.contract.domains if self._planned(domain)]
        every = [part for domain in planned for part in parts(domain, self.settings.seed)]
        self._total = sum(part.count(self.settings.max_examples) for part in every)
        for domain in planned:
            if not self._survives(domain):
                break

    def _planned(self, domain: Domain) -> bool:
        return domain.name == CORE or not self.settings.checks or domain.name in self.settings.checks

    def _survives(self, domain: Domain) -> bool:
        try:
            self._drawing = True
            self._draw(domain, self.settings, self.visit)
            self._finish()
            self._drawing = False
            for position, case in enumerate(self._led(domain)):
                self.visit(case, whole=position < LED)
            self._finish()
        except Ended as ended:
            self.ended(self._pending[0], ended)
            return domain.name != CORE and not ended.over
        return True

    def _finish(self) -> None:
        while self._pending:
            self._take()

    def _led(self, domain: Domain) -> tuple[Case, ...]:
        """The cases to which the candidate's own conditions lead; no more of them than of those that are drawn."""
        if not self._leads or domain.components is None:
            return ()
        self.leading = Leading(self.client.fresh(), domain.components, self.contract.calls)
        self._progress("conditions", self.cases, self._total)
        seconds = max(LEAST_SECONDS, time.monotonic() - self._started)
        cases = self.leading.cases(self._given, self.settings.max_examples, seconds)
        cases = cases[: self.settings.max_examples]
        self.led.update(case.key for case in cases)
        self._total += len(cases)
        return cases

    @property
    def conditions(self) -> Conditions:
        """Which conditions of the candidate's source the cases met."""
        return self.leading.conditions if self.leading else summed(self._met)

    def visit(self, case: Case, *, wait: bool = False, whole: bool = False) -> None:
        """Send a case, and judge the oldest one that is under way; if `wait`, the case itself.

        Args:
            case: to observe.
            wait: for its facts.
            whole: whether all further runs are made of it, as of the first case.

        Raises:
            Ended: if the candidate's process did not live to answer; `ended` counts that.
        """
        if self._position == self.contract.observer.first:
            while self._pending:  # what the first cases show, the plans of all others go by
                self._take()
        if self._drawing and case.domain == CORE and len(self._given) < GIVEN:
            self._given.append(case)
        request = self._request(case, 0 if whole else self._position)
        self._pending.append(request)
        self.client.submit(request)
        if wait or len(self._pending) >= DEPTH:
            self._take()

    @property
    def _position(self) -> int:
        return self.cases + len(self._pending)

    def _request(self, case: Case, position: int) -> Request:
        plan = self.contract.observer.plan(position, case.domain == CORE, self._sight)
        return Request(case, plan, self.contract.calls(case))

    def _take(self) -> None:
        request = self._pending[0]
        facts = self.facts = self.client.collect()
        self._pending.popleft()
        self.cases += 1
        self._sight = self.contract.observer.learn(self._sight, facts)
        self._met.update(dict.fromkeys(self.contract.observer.met(facts)))
        self._progress("cases", self.cases, self._total)
        judgements = judge(self.contract, request, facts)
        request = self.contract.observer.again(request, facts)
        for check_id, (judgement, claims, proved) in judgements.items():
            tally = self.tallies[check_id]
            tally.proved.update(dict.fromkeys(proved))
            tally.add(request, judgement, facts, drawn=self._drawing)
            if claims and judgement is None:
                tally.claims.append((request, claims))
                if sum(len(claims) for _, claims in tally.claims) >= TOGETHER:
                    settle(tally)
        if self.first is None:
            violated = (check_id for check_id, judged in judgements.items() if isinstance(judged.judgement, Violation))
            self.first = request, frozenset(violated)

    def settle(self) -> None:
        """Assert what the checks compared on the cases where they hold."""
        for tally in self.tallies.values():
            settle(tally)

    def ended(self, request: Request, ended: Ended) -> None:
        """Count that the candidate's process came to its end on a request, and start it anew.

        One that ran out of time breaks nothing: what the case was to show was not judged.
        """
        self._pending.clear()
        if ended.end is End.TIMED_OUT:
            self._late(request, ended)
            return
        self.cases += 1
        blamed = self.client.to_blame(request.case)
        self.tallies[blamed].add(request, died(ended))
        for check in self.contract.checks:
            if request.case.domain == CORE and check.id != blamed:
                self.tallies[check.id].blocked[blamed] += 1
        self.client.restart()

    def _late(self, request: Request, ended: Ended) -> None:
        for check in self.contract.checks:
            if check.applies(request):
                self.tallies[check.id].unseen[LATE] += 1
        if ended.over:
            self.time_up = ended
        elif self.time_up is None and request.case.domain == CORE:
            self.time_up = dataclasses.replace(ended, reason=f"{ended}: {request.case}")
        self.client.restart()
