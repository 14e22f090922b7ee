"""One judge of a grading: a zygote, the drawn cases, and one candidate after the other. Never runs one itself."""

from __future__ import annotations

import base64
import dataclasses
import time
import traceback
from collections.abc import Iterable
from types import TracebackType

from nnx_conformance import compile_cache
from nnx_conformance import contract as contracts
from nnx_conformance.case import Case
from nnx_conformance.checking import Job, judge
from nnx_conformance.contract import Contract
from nnx_conformance.drawn import DrawnOnce
from nnx_conformance.errors import KitError
from nnx_conformance.grading import outcome
from nnx_conformance.grading.order import Order
from nnx_conformance.grading.outcome import Outcome
from nnx_conformance.grading.submissions import LONGEST
from nnx_conformance.grading.work import Work
from nnx_conformance.isolation.jail import Jail
from nnx_conformance.literals import literals
from nnx_conformance.loaded import NotLoaded
from nnx_conformance.process import Clock, Process
from nnx_conformance.report import Report
from nnx_conformance.request import Request
from nnx_conformance.session import Ended, Opener
from nnx_conformance.target import Target, parse
from nnx_conformance.verdict import not_loaded
from nnx_conformance.zygote import Zygote

#: What each candidate's file is called: what becomes of it must not hang on its name.
FILE = "solution.py"


class Grader:
    """Grades candidates by one order. A context manager; leaving it ends the zygote."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._drawn = DrawnOnce()
        self._zygote: Zygote | None = None
        self._proven = False

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._zygote:
            self._zygote.close()

    def begin(self) -> None:
        """Start the zygote, and draw the cases while it imports JAX and Flax."""
        self._living_zygote()
        for domain in contracts.get(self._order.contract).domains:
            self._drawn(domain, self._order.settings, lambda _: None)

    def prepare(self, *, many: bool = True) -> None:
        """Judge the contract's own right candidate: it must conform, and its compilations fill the cache.

        Args:
            many: whether to compile, too, what only some candidates need.

        Raises:
            KitError: if it does not conform here; then no verdict means anything.
        """
        self.begin()
        order = self._order
        contract = contracts.get(order.contract)
        with Zygote(Jail(level="process"), compile_cache.environment(order.cache, fill=True)) as zygote:
            clock, target = Clock(order.limits), parse(contract.control)
            report = judge(self._job(lambda: Process(target, clock, zygote), contract.control))
            if report.verdict != "conforms":
                found = ", ".join(f"{finding.check} ({finding.what})" for finding in report.findings)
                raise KitError(
                    f"The contract's own right candidate {contract.control!r} {report.verdict} here: {found}"
                )
            if many and order.cache and contract.observer.warm:
                self._warm(contract, Process(target, Clock(order.limits), zygote))
        self._proven = True

    def _warm(self, contract: Contract, process: Process) -> None:
        """Compile what is run without traces, too: of wrong candidates every second one comes to that."""
        try:
            process.load(contract.entry, contract.parameters, contract.observer)
            for case in self._one_of_each_shape(contract):
                process.submit(Request(case, (contract.observer.warm,), contract.calls(case)))
                process.collect()
        except Ended as ended:
            raise KitError(f"The contract's own right candidate {contract.control!r} ended: {ended}") from ended
        finally:
            process.close()

    def _one_of_each_shape(self, contract: Contract) -> Iterable[Case]:
        cases: list[Case] = []
        for domain in contract.domains:
            self._drawn(domain, self._order.settings, cases.append)
        return {_shapes(case): case for case in reversed(cases)}.values()

    def grade(self, work: Work) -> Outcome:
        """The outcome of one candidate; a failure of the kit is one, too."""
        started = time.monotonic()
        try:
            return outcome.of(work.key, self._report(work))
        except Exception as error:  # noqa: BLE001 - the next candidate must be judged all the same
            told = str(error) if isinstance(error, KitError) else traceback.format_exc()[-4000:]
            self._renew()
            return outcome.failed(work.key, told, time.monotonic() - started)

    def _report(self, work: Work) -> Report:
        order = self._order
        if len(work.source) > LONGEST:
            return self._too_long(work.id)
        zygote = self._living_zygote()
        target = Target(work.id, FILE, "", "", base64.b64encode(work.source).decode())
        clock = Clock(order.limits)
        settings = dataclasses.replace(order.settings, checks=work.checks or order.settings.checks)
        job = self._job(lambda: Process(target, clock, zygote), work.id)
        return judge(dataclasses.replace(job, settings=settings, literals=literals(work.source)))

    def _job(self, opener: Opener, name: str) -> Job:
        return Job(opener, name, self._order.contract, self._order.settings, draw=self._drawn, proven=self._proven)

    def _too_long(self, id: str) -> Report:
        contract = contracts.get(self._order.contract)
        why = NotLoaded(False, f"its file is larger than {LONGEST} bytes", "a file that nobody wrote by hand")
        return not_loaded(id, contract, self._order.settings, None, why)

    def _living_zygote(self) -> Zygote:
        if self._zygote is None or not self._zygote.alive:
            self._renew()
            self._zygote = Zygote(self._order.jail, compile_cache.environment(self._order.cache, fill=False))
        return self._zygote

    def _renew(self) -> None:
        if self._zygote:
            self._zygote.close()
        self._zygote = None


def _shapes(case: Case) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return tuple((argument.data.dtype.name, argument.data.shape) for argument in case.arguments)
