"""A client that outlives the candidate's process: it starts the next one, with as many devices as a request needs."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from nnx_conformance.core.candidate.loaded import End, Loaded
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import CORE, Check, Contract, Judgement, NotApplicable, Violation
from nnx_conformance.core.plan import Request
from nnx_conformance.judging.assertions import asserted
from nnx_conformance.process.session import Ended, Opener, Session

#: What a check says of a case on which the process ended, if that is no fault of this check.
ENDED = NotApplicable("the process ended on this case")


class Client:
    """A session that reopens when the candidate's process ends.

    Attributes:
        isolated: whether a new session starts without what ran before: a process does, this very one does not.
    """

    def __init__(self, contract: Contract, session: Session, opener: Opener) -> None:
        self.contract = contract
        self.isolated = session.isolated
        self._open: dict[int, Session] = {1: session}
        self._opener = opener
        self._import_reported = False
        self._submitted: deque[Request] = deque()
        self._started = time.monotonic()

    def _session(self, request: Request | None = None) -> Session:
        """The session for a request, by the number of devices that it needs; only another process can have more."""
        devices = self.contract.observer.devices(request) if request and self.isolated else 1
        if devices not in self._open:
            session = self._open[devices] = self._opener()
            session.load(self.contract.entry, self.contract.parameters, self.contract.observer, devices)
        return self._open[devices]

    def submit(self, request: Request) -> None:
        """Send a request, without waiting."""
        self._session(request).submit(request)
        self._submitted.append(request)

    def collect(self) -> Any:
        """The facts of the oldest request; the first ones also hold what importing the candidate wrote and warned.

        Where the rest of the case is for a new process to do, that is started, sent the rest and ended.

        Raises:
            Ended: if the candidate's process did not live to give them.
        """
        session = self._session(self._submitted[0])
        facts = self._whole(session.collect())
        if self._import_reported or not isinstance(loaded := session.loaded, Loaded):
            return facts
        self._import_reported = True
        return self.contract.observer.with_import(facts, loaded)

    def _whole(self, facts: Any) -> Any:
        request, observer = self._submitted.popleft(), self.contract.observer
        while rest := observer.rest(request, facts):
            fresh = self.fresh()
            try:
                fresh._session(rest).submit(rest)
                facts = observer.joined(facts, fresh._session(rest).collect())
            finally:
                fresh.close()
        return facts

    def judge(self, check: Check, request: Request) -> tuple[Judgement, Any]:
        """The judgement of one check on a case, and the facts behind it.

        A process that ends breaks the check that is to blame for it; any other check then says `ENDED`, as all do where
        the time was up. There are no facts in either case.
        """
        try:
            self.submit(request)
            facts = self.collect()
        except Ended as ended:
            self.restart()
            blamed = check.id == self.to_blame(request.case) and ended.end is not End.TIMED_OUT
            return died(ended) if blamed else ENDED, None
        reading = self.contract.read(request.case, facts)
        return asserted(check, request.case, reading), facts

    def to_blame(self, case: Case) -> str:
        """The check to blame if the process ends on this case: the core's fallback, or the edge's own."""
        return self.contract.fallback if case.domain == CORE else case.domain

    def restart(self) -> None:
        """End the session; the next request opens a new one, where nothing ran before."""
        self.close()
        self._submitted.clear()
        self._import_reported = False

    def fresh(self) -> Client:
        """A second client of the same candidate."""
        session = self._opener()
        session.load(self.contract.entry, self.contract.parameters, self.contract.observer)
        return Client(self.contract, session, self._opener)

    @property
    def used(self) -> float:
        """The processor seconds of the candidate's process; those on the clock where it is none of its own."""
        used = getattr(self._open.get(1), "used", None)
        return time.monotonic() - self._started if used is None else float(used)

    def close(self) -> None:
        """End the session."""
        while self._open:
            self._open.popitem()[1].close()


def died(ended: Ended) -> Violation:
    """The violation of a candidate whose process ended."""
    remedy = "Let the call return a result for this case, in the process that it was given."
    return Violation(str(ended), "a result", str(ended.end), cause=ended.end.cause, remedy=remedy, end=ended.end)
