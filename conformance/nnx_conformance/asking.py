"""Asking a candidate one thing after the other, over the deaths of its process."""

from __future__ import annotations

from collections import deque
from typing import Any

from nnx_conformance.case import Case
from nnx_conformance.contract import CORE, Check, Contract, Judgement, NotApplicable, Violation
from nnx_conformance.loaded import Loaded
from nnx_conformance.request import Request
from nnx_conformance.session import Ended, Opener, Session

CAUSES = {
    "crashed": "the process was ended from within: os._exit, a crash of native code, or a limit, such as `--memory`",
    "timed out": "a loop that does not end, or far too much work",
    "malformed": "the candidate meddles with its own observation, or its result is too large to hand on",
}
#: What a check says of a case on which the process ended, if that is no fault of this check.
ENDED = NotApplicable("the process ended on this case")


class Asking:
    """A session that is opened again when the candidate's process ends.

    Attributes:
        isolated: whether a new session starts without what ran before: a process does, this very one does not.
    """

    def __init__(self, contract: Contract, session: Session, opener: Opener) -> None:
        self.contract = contract
        self.isolated = session.isolated
        self._open: Session | None = session
        self._opener = opener
        self._import_told = False
        self._asked: deque[Request] = deque()

    @property
    def _session(self) -> Session:
        if self._open is None:
            self._open = self._opener()
            self._open.load(self.contract.entry, self.contract.parameters, self.contract.observer)
        return self._open

    def submit(self, request: Request) -> None:
        """Ask, without waiting."""
        self._session.submit(request)
        self._asked.append(request)

    def collect(self) -> Any:
        """The oldest answer that is due; the first one also tells what importing the candidate wrote and warned.

        Where the rest is for a new process to do, that is started, asked and ended.

        Raises:
            Ended: if the candidate's process did not live to give it.
        """
        seen = self._whole(self._session.collect())
        if self._import_told or not isinstance(loaded := self._session.loaded, Loaded):
            return seen
        self._import_told = True
        return self.contract.observer.with_import(seen, loaded)

    def _whole(self, seen: Any) -> Any:
        request, observer = self._asked.popleft(), self.contract.observer
        while rest := observer.rest(request, seen):
            fresh = self.fresh()
            try:
                fresh._session.submit(rest)
                seen = observer.joined(seen, fresh._session.collect())
            finally:
                fresh.close()
        return seen

    def judge(self, check: Check, request: Request) -> Judgement:
        """Ask, wait, and let one check judge. A process that ends breaks the check that is to blame for it.

        To any other check it says nothing: `ENDED`.
        """
        try:
            self.submit(request)
            return check.judge(request.case, self.collect())
        except Ended as ended:
            self.restart()
            return died(ended) if check.id == self.to_blame(request.case) else ENDED

    def to_blame(self, case: Case) -> str:
        """The check that a process breaks that ends on this case: the core's fallback, or the edge's own."""
        return self.contract.fallback if case.domain == CORE else case.domain

    def restart(self) -> None:
        """End what runs; what is asked next is asked of a new session, where nothing ran before."""
        self.close()
        self._asked.clear()
        self._import_told = False

    def fresh(self) -> Asking:
        """The same candidate anew, beside this one."""
        session = self._opener()
        session.load(self.contract.entry, self.contract.parameters, self.contract.observer)
        return Asking(self.contract, session, self._opener)

    def close(self) -> None:
        """End what runs."""
        if self._open is not None:
            self._open.close()
            self._open = None


def died(ended: Ended) -> Violation:
    """The violation of a candidate whose process ended."""
    remedy = "Let the call return a result for this case, within its time, in the process that it was given."
    return Violation(str(ended), "a result", ended.kind, cause=CAUSES[ended.kind], remedy=remedy)
