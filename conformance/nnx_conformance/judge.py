"""Judging one candidate: draw the cases, observe them, let every check judge every case, and count."""

from __future__ import annotations

import itertools
from collections import deque
from typing import Any

from nnx_conformance.asking import Asking, died
from nnx_conformance.case import Case
from nnx_conformance.contract import CORE, Contract, Domain, Violation
from nnx_conformance.drawn import Draw, parts
from nnx_conformance.literals import NONE, Literals
from nnx_conformance.report import Settings
from nnx_conformance.request import Request
from nnx_conformance.session import Ended, Progress
from nnx_conformance.tally import judge, tallies

#: Requests that are under way while the judge draws and judges others.
DEPTH = 8


class Judging:
    """One candidate under one contract; `run` fills the tallies.

    Attributes:
        tallies: by check.
        cases: how many were observed.
        head: the first request of all, and which checks it violated.
        seen: the last observation.
    """

    def __init__(
        self,
        contract: Contract,
        asking: Asking,
        settings: Settings,
        draw: Draw,
        progress: Progress,
        literals: Literals = NONE,
    ) -> None:
        self.contract = contract
        self.asking = asking
        self.settings = settings
        self.tallies = tallies(contract)
        self.cases = 0
        self.head: tuple[Request, frozenset[str]] | None = None
        self._draw = draw
        self._literals = literals
        self._progress = progress
        self._pending: deque[Request] = deque()
        self._drawing = False
        self.seen: Any = None
        self._total = settings.max_examples

    def run(self) -> None:
        """Judge the planned domains; a candidate that does not survive the core is not taken to the edges."""
        planned = [domain for domain in self.contract.domains if self._planned(domain)]
        found = [part for domain in planned for part in parts(domain, self.settings.seed)]
        self._total = sum(part.count(self.settings.max_examples) for part in found)
        self._total += sum(len(self._mined(domain)) for domain in planned)
        for domain in planned:
            if not self._survives(domain):
                break

    def _planned(self, domain: Domain) -> bool:
        return domain.name == CORE or not self.settings.checks or domain.name in self.settings.checks

    def _survives(self, domain: Domain) -> bool:
        try:
            self._drawing = True
            self._draw(domain, self.settings, self.visit)
            self._drawing = False
            for case in self._mined(domain):
                self.visit(case)
            while self._pending:
                self._take()
        except Ended as ended:
            self.ended(self._pending[0], ended)
            return domain.name != CORE
        return True

    def _mined(self, domain: Domain) -> list[Case]:
        """Where the candidate's own numbers lead; no more of it than of what is drawn, whatever it has written."""
        return list(itertools.islice(domain.mined(self._literals), self.settings.max_examples)) if domain.mined else []

    def visit(self, case: Case, *, wait: bool = False) -> None:
        """Ask about a case, and judge the oldest one that was asked about; if `wait`, the case itself.

        Raises:
            Ended: if the candidate's process did not live to answer; `ended` counts that.
        """
        request = self._request(case)
        self._pending.append(request)
        self.asking.submit(request)
        if wait or len(self._pending) >= DEPTH:
            self._take()

    def _request(self, case: Case) -> Request:
        position = self.cases + len(self._pending)
        observer = self.contract.observer
        probes = observer.probes if case.domain == CORE else observer.edge_probes
        return Request(case, probes(position), self.contract.calls(case))

    def _take(self) -> None:
        request = self._pending[0]
        seen = self.asking.collect()
        self._pending.popleft()
        self.cases += 1
        self.seen = seen
        self._progress("cases", self.cases, self._total)
        found = judge(self.contract.checks, request, seen)
        request = self.contract.observer.again(request, seen)
        for check_id, judgement in found.items():
            self.tallies[check_id].add(request, judgement, drawn=self._drawing)
        if self.head is None:
            broken = frozenset(check_id for check_id, what in found.items() if isinstance(what, Violation))
            self.head = request, broken

    def ended(self, request: Request, ended: Ended) -> None:
        """Count that the candidate's process came to its end on a request, and start it anew."""
        self._pending.clear()
        self.cases += 1
        blamed = self.asking.to_blame(request.case)
        self.tallies[blamed].add(request, died(ended))
        for check in self.contract.checks:
            if request.case.domain == CORE and check.id != blamed:
                self.tallies[check.id].blocked[blamed] += 1
        self.asking.restart()
