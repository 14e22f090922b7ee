"""One judge of a grading: a fork server and the drawn cases, for one candidate after the other. Runs none itself."""

from __future__ import annotations

import base64
import dataclasses
import time
import traceback
from collections.abc import Iterable
from types import TracebackType

from nnx_conformance.core import contracts
from nnx_conformance.core.candidate import notebook
from nnx_conformance.core.candidate.loaded import NotLoaded
from nnx_conformance.core.candidate.notebook import NotANotebook, is_notebook
from nnx_conformance.core.candidate.target import Target, parse
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import Contract
from nnx_conformance.core.errors import KitError, Misuse
from nnx_conformance.core.plan import Request, RunPlan
from nnx_conformance.core.report import Report
from nnx_conformance.grading.grade import Grade, graded, refused, ungraded
from nnx_conformance.grading.submissions import LONGEST, file_name
from nnx_conformance.grading.tasks import GradingPlan, Task
from nnx_conformance.judging.check import Job, judge
from nnx_conformance.judging.drawn import DrawnOnce
from nnx_conformance.judging.tier import DrawnAt
from nnx_conformance.judging.verdict import Header, not_loaded
from nnx_conformance.process.candidate import Process
from nnx_conformance.process.fork_server import ForkServer
from nnx_conformance.process.limits import Clock
from nnx_conformance.process.reference import Control
from nnx_conformance.process.session import Ended, Opener
from nnx_conformance.sandbox import compile_cache
from nnx_conformance.sandbox.jail import Jail


class Grader:
    """Grades candidates by one plan. A context manager; leaving it ends the fork server."""

    def __init__(self, plan: GradingPlan) -> None:
        self._plan = plan
        self._drawn = DrawnOnce()
        self._fork_server: ForkServer | None = None
        self._proven = False
        self._reference = Control(plan.contract, plan.limits)

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fork_server:
            self._fork_server.close()

    def begin(self) -> None:
        """Start the fork server, and draw the cases while it imports JAX and Flax."""
        self._living_fork_server()
        for domain in contracts.get(self._plan.contract).domains:
            self._drawn(domain, self._plan.settings, lambda _: None)

    def prepare(self, *, many: bool = True) -> None:
        """Judge the contract's own right candidate: it must conform, and its compilations fill the cache.

        Args:
            many: whether to compile, too, what only some candidates need.

        Raises:
            KitError: if it does not conform here; then no verdict means anything.
        """
        self.begin()
        plan = self._plan
        contract = contracts.get(plan.contract)
        with ForkServer(Jail(level="process"), compile_cache.environment(plan.cache, fill=True)) as fork_server:
            clock, target = Clock(plan.limits), parse(contract.control)
            report = judge(self._job(lambda: Process(target, clock, fork_server), contract.control))
            if report.verdict != "conforms":
                violated = ", ".join(f"{finding.check} ({finding.what})" for finding in report.findings)
                raise KitError(
                    f"The contract's own right candidate {contract.control!r} {report.verdict} here: {violated}"
                )
            if many and plan.cache and (warm := contract.observer.warm):
                self._warm(contract, warm, Process(target, Clock(plan.limits), fork_server))
        self._proven = True

    def _warm(self, contract: Contract, warm: RunPlan, process: Process) -> None:
        """Compile for runs without traces too: every second wrong candidate needs them."""
        try:
            process.load(contract.entry, contract.parameters, contract.observer)
            for case in self._one_of_each_shape(contract):
                process.submit(Request(case, warm, contract.calls(case)))
                process.collect()
        except Ended as ended:
            raise KitError(f"The contract's own right candidate {contract.control!r} ended: {ended}") from ended
        finally:
            process.close()

    def _one_of_each_shape(self, contract: Contract) -> Iterable[Case]:
        cases: list[Case] = []
        for domain in contract.domains:
            self._drawn(domain, self._plan.settings, cases.append)
        return {_shapes(case): case for case in reversed(cases)}.values()

    def grade(self, task: Task) -> Grade:
        """The grade of one candidate, even if the kit fails."""
        started = time.monotonic()
        places: list[DrawnAt] = []
        try:
            return graded(task.key, self._report(task, places), tuple(places))
        except Misuse as error:
            return refused(task.key, str(error), time.monotonic() - started)
        except Exception as error:  # noqa: BLE001 - the next candidate must be judged all the same
            message = str(error) if isinstance(error, KitError) else traceback.format_exc()[-4000:]
            self._renew()
            return ungraded(task.key, message, time.monotonic() - started)

    def _report(self, task: Task, places: list[DrawnAt]) -> Report:
        plan = self._plan
        if len(task.source) > LONGEST:
            return self._too_long(task.id)
        fork_server = self._living_fork_server()
        target = Target(task.id, file_name(task.id), "", "", base64.b64encode(task.source).decode())
        clock = Clock(plan.limits, self._reference)
        settings = dataclasses.replace(plan.settings, checks=task.checks or plan.settings.checks)
        job = self._job(lambda: Process(target, clock, fork_server), task.id)
        job = dataclasses.replace(job, settings=settings, note=_note(task), tier=plan.tier)
        return judge(dataclasses.replace(job, on_violation=places.append) if plan.places else job)

    def _job(self, opener: Opener, name: str) -> Job:
        return Job(opener, name, self._plan.contract, self._plan.settings, draw=self._drawn, proven=self._proven)

    def _too_long(self, id: str) -> Report:
        contract = contracts.get(self._plan.contract)
        why = NotLoaded(False, f"its file is larger than {LONGEST} bytes", "a file that nobody wrote by hand")
        return not_loaded(Header(id, contract, self._plan.settings), why)

    def _living_fork_server(self) -> ForkServer:
        if self._fork_server is None or not self._fork_server.alive:
            self._renew()
            self._fork_server = ForkServer(self._plan.jail, compile_cache.environment(self._plan.cache, fill=False))
        return self._fork_server

    def _renew(self) -> None:
        if self._fork_server:
            self._fork_server.close()
        self._fork_server = None


def _note(task: Task) -> str:
    """The note on what does not run: a notebook's magics."""
    if not is_notebook(task.id):
        return ""
    try:
        return notebook.parsed(task.source).note
    except NotANotebook:
        return ""


def _shapes(case: Case) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return tuple((argument.data.dtype.name, argument.data.shape) for argument in case.arguments)
