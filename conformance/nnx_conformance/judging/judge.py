"""Judges one candidate: draws cases, observes them, applies every check to every case, and counts."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from nnx_conformance.core.candidate.loaded import End
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import CORE, MUST, Check, Contract, Violation
from nnx_conformance.core.observer import Sight
from nnx_conformance.core.plan import Request
from nnx_conformance.core.report import Settings
from nnx_conformance.core.search.components import Components
from nnx_conformance.core.search.conditions import Conditions, Met, summed
from nnx_conformance.core.search.domain import Domain
from nnx_conformance.judging.assertions import TOGETHER, settle
from nnx_conformance.judging.causes import roots
from nnx_conformance.judging.client import Client, died
from nnx_conformance.judging.drawn import Draw, parts
from nnx_conformance.judging.leading import GIVEN, MOST_RUNS, RUNS_A_CASE, Leading
from nnx_conformance.judging.tally import LATE, judge, tallies
from nnx_conformance.judging.tier import DrawnAt, Tier, confirmed
from nnx_conformance.process.session import Ended, Progress

#: Requests that are under way while the judge draws and judges others.
DEPTH = 8
#: Of so many cases to which conditions lead, all further runs are made: what is wrong there alone may show in an
#: intervention alone.
LED = 48
#: So often it is tried to confirm a first finding: one by chance, or of what ran before, waits for the end.
SHOWS = 2
#: Looking for these cases may take so many processor seconds at least, and as many as judging the drawn ones took.
LEAST_SECONDS = 30.0

#: Called with a check and its violation.
OnFinding = Callable[[Check, Violation], None]


class Judging:
    """One candidate under one contract; `run` fills the tallies.

    Attributes:
        tallies: by check.
        cases: how many were observed.
        first: the first request of all, and which checks it violated; None before it was answered.
        facts: the last ones.
        time_up: why a case could not be judged in time, or all the others; None if there was time for all.
        leads: whether the candidate has conditions to look for.
        leading: leads to them; None before it does.
        led: the keys of the cases that it led to.
        over: whether its process ended in a way after which no further case is judged.
    """

    def __init__(
        self,
        contract: Contract,
        client: Client,
        settings: Settings,
        draw: Draw,
        progress: Progress,
        leads: bool = False,
        on_violation: Callable[[DrawnAt], None] = lambda _: None,
        on_finding: OnFinding | None = None,
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
        self.over = False
        self._draw = draw
        self.leads = leads
        self._on_violation = on_violation
        self._on_finding = on_finding
        self._shows_left = SHOWS
        self._given: list[Case] = []
        self._met: dict[Met, None] = {}
        self._progress = progress
        self._pending: deque[tuple[Request, DrawnAt | None]] = deque()
        self._judged: set[DrawnAt] = set()
        self._waiting = Counter[str]()
        self._ended: set[str] = set()
        self._drawing = False
        self._sight = Sight()
        self._total = settings.max_examples

    def run(self) -> None:
        """Judge the planned domains; skips the edges if the candidate dies on the core."""
        for domain in self._planned():
            if not self.over and domain.name not in self._ended and self._survives(domain, self._drawn):
                self._survives(domain, self._lead)

    def search(self, judge_cases: Callable[[Domain], None]) -> None:
        """Judge cases of the core that a search chooses, by `visit`."""
        self.over = not self._survives(self.contract.domains[0], judge_cases)

    def first_tier(self, tier: Tier) -> None:
        """Judge some of the drawn cases first; `run` then skips them."""
        for domain in self._planned():
            if not self.over and not self._survives(domain, lambda each: self._drawn(each, tier.of(each.name))):
                self._ended.add(domain.name)

    def _planned(self) -> list[Domain]:
        chosen = self.settings.checks
        planned = [each for each in self.contract.domains if each.name == CORE or not chosen or each.name in chosen]
        every = [part for domain in planned for part in parts(domain, self.settings.seed)]
        self._total = sum(part.count(self.settings.max_examples) for part in every)
        return planned

    def _survives(self, domain: Domain, judge_cases: Callable[[Domain], None]) -> bool:
        try:
            judge_cases(domain)
            self._finish()
        except Ended as ended:
            self.ended(self._pending[0][0], ended, self._pending[0][1])
            self.over = domain.name == CORE or ended.over
            return False
        finally:
            self._drawing = False
        return True

    def _drawn(self, domain: Domain, positions: tuple[int, ...] | None = None) -> None:
        """Judge the drawn cases of a domain that are not judged yet: those at some positions; all if None."""
        cases = itertools.count()

        def visit(case: Case) -> None:
            place = DrawnAt(domain.name, next(cases))
            if place.domain == CORE and place.position == len(self._given) < GIVEN:
                self._given.append(case)
            if place not in self._judged and (positions is None or place.position in positions):
                self.visit(case, place=place)

        self._drawing = True
        self._draw(domain, self.settings, visit)
        self._finish()

    def _lead(self, domain: Domain) -> None:
        for position, case in enumerate(self._led(domain)):
            self.visit(case, whole=position < LED)

    def _finish(self) -> None:
        while self._pending:
            self._take()

    def _led(self, domain: Domain) -> tuple[Case, ...]:
        """The cases that the candidate's conditions lead to, at most as many as the user asks for."""
        if not self.leads or domain.components is None:
            return ()
        leading = self.lead(domain.components)
        self._progress("conditions", self.cases, self._total)
        most = max(LEAST_SECONDS, self.client.used)
        runs = min(MOST_RUNS, RUNS_A_CASE * self.settings.max_examples)
        cases = leading.cases(self._given, runs, lambda: leading.used > most)[: self.settings.max_examples]
        self.led.update(case.key for case in cases)
        self._total += len(cases)
        return cases

    def lead(self, components: Components) -> Leading:
        """What leads to the candidate's conditions from now on."""
        self.leading = Leading(self.client.fresh(), components, self.contract.calls)
        return self.leading

    @property
    def conditions(self) -> Conditions:
        """Which conditions of the candidate's source the cases met."""
        return self.leading.conditions if self.leading else summed(self._met)

    def visit(self, case: Case, *, wait: bool = False, whole: bool = False, place: DrawnAt | None = None) -> None:
        """Send a case, and judge the oldest one that is under way; if `wait`, the case itself.

        Args:
            case: to observe.
            wait: for its facts.
            whole: whether all further runs are made of it, as of the first case.
            place: where it was drawn, by which its further runs are planned; None for by how many came before it.

        Raises:
            Ended: if the candidate's process did not live to answer; `ended` counts that.
        """
        if self._position == self.contract.observer.first:
            while self._pending:  # what the first cases show, the plans of all others go by
                self._take()
        position = place.position if place else self._position
        request = self._request(case, 0 if whole else position)
        self._pending.append((request, place))
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
        request, place = self._pending[0]
        facts = self.facts = self.client.collect()
        self._pending.popleft()
        if place:
            self._judged.add(place)
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
                self._waiting[check_id] += len(claims)
                if self._waiting[check_id] >= TOGETHER:
                    self._waiting[check_id] = 0
                    settle(tally)
        violated = frozenset(check_id for check_id, judged in judgements.items() if judged.violated)
        if self.first is None:
            self.first = request, violated
        if place and any(self.contract.by_id[check_id].level == MUST for check_id in violated):
            self._on_violation(place)
            self._show_first()

    def _show_first(self) -> None:
        """Show the first violation of a MUST check as soon as a fresh process confirms it."""
        if self._on_finding is None or not (self._shows_left and self.client.isolated):
            return
        root_of = roots(tally for tally in self.tallies.values() if tally.example and CORE in tally.check.domains)
        check = next((id for id, root in root_of.items() if id == root and self.contract.by_id[id].level == MUST), "")
        example = self.tallies[check].example if check else None
        if example is None:
            return
        self._shows_left -= 1
        if violation := confirmed(self.client, self.contract.by_id[check], example.request):
            self._shows_left = 0
            self._on_finding(self.contract.by_id[check], violation)

    def settle(self) -> None:
        """Assert the waiting claims of all checks."""
        for tally in self.tallies.values():
            settle(tally)

    def ended(self, request: Request, ended: Ended, place: DrawnAt | None = None) -> None:
        """Count that the candidate's process ended on a request, and start a new one.

        One that ran out of time breaks nothing: what the case was to show was not judged.
        """
        self._pending.clear()
        if ended.end is End.TIMED_OUT:
            self._late(request, ended)
            return
        self.cases += 1
        blamed = self.client.to_blame(request.case)
        self.tallies[blamed].add(request, died(ended))
        if place:
            self._on_violation(place)
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
