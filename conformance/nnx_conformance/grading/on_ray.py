"""Judges on a Ray cluster: one actor each, which owns a fork server and runs no candidate itself.

Ray starts them, places them and reports when one is lost with its node; another then judges what it had.
"""

from __future__ import annotations

import os
import select
import socket
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from nnx_conformance.core.errors import KitError, Misuse, expected
from nnx_conformance.grading.grade import Grade
from nnx_conformance.grading.run import Engine, compilations
from nnx_conformance.grading.source import TaskSource
from nnx_conformance.grading.tasks import Attempts, GradingPlan, Task, versions

#: Ray waits for its own results alone: how long for these, before it is looked whether more candidates have come.
CONNECT_SECONDS, LOOK_SECONDS = 5.0, 0.05
INSTALL = "pip install 'nnx-conformance[ray]'"


class Judge:
    """One judge, in a Ray process; Ray calls its methods."""

    def __init__(self, plan: GradingPlan, wanted: dict[str, str]) -> None:
        from nnx_conformance.grading.grader import Grader

        self._open = ExitStack()
        self._other = {name: installed for name, installed in versions().items() if installed != wanted[name]}
        folder = self._open.enter_context(compilations(plan))  # each node compiles for its own processor
        self._grader = self._open.enter_context(Grader(replace(plan, cache=folder)))

    def prepare(self) -> str:
        """Why this judge cannot work; empty if it can."""
        if self._other:
            return f"its versions are not those of the machine that grades: {self._other}"
        try:
            self._grader.prepare()
        except (KitError, Misuse) as error:
            return str(error)
        return ""

    def grade(self, task: Task) -> Grade:
        """The grade of one candidate."""
        return self._grader.grade(task)

    def close(self) -> None:
        """End the fork server."""
        self._open.close()


def engine(address: str | None, jobs: int | None) -> Engine:
    """Judges on a cluster.

    Args:
        address: of the cluster; None to start one on this machine.
        jobs: how many judges; as many as the cluster has processors if None.

    Raises:
        Misuse: if Ray is not installed.
    """
    try:
        import ray  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise expected("an engine that is installed", "--engine", "ray", f"Install it: {INSTALL}.") from error
    return lambda source, plan: _run(source, plan, address, jobs)


def _run(source: TaskSource, plan: GradingPlan, address: str | None, jobs: int | None) -> Generator[Grade]:
    import ray

    _connect(address, jobs)
    try:
        size = jobs or int(ray.cluster_resources().get("CPU", 1))
        judges = _Judges(plan)
        try:
            yield from judges.judge(source, size if source.size is None else min(size, source.size))
        finally:
            judges.close()
    finally:
        ray.shutdown()


def _connect(address: str | None, jobs: int | None) -> None:
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address is None:
            ray.init(address="local", num_cpus=jobs, include_dashboard=False, **quiet)
        else:
            _reachable(address)
            ray.init(address=address, **quiet)
    except Exception as error:
        message = error.strerror if isinstance(error, OSError) and error.strerror else str(error).strip()
        reason = (message.splitlines() or [type(error).__name__])[0].rstrip(".")
        fix = f"{reason}. Start a cluster with `ray start --head`, or leave --address out for one on this machine."
        raise expected("the address of a Ray cluster that can be reached", "--address", address, fix) from error


def _reachable(address: str) -> None:
    """Raise OSError at once for an address where nobody listens; Ray would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()


class _Judges:
    def __init__(self, plan: GradingPlan) -> None:
        import ray

        self._ray = ray
        self._plan = plan
        self._actor: Any = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Judge)
        self._all: list[Any] = []
        self._ready: list[Any] = []
        self._starting: dict[Any, Any] = {}
        self._busy: dict[Any, tuple[Any, Task]] = {}
        self._attempts = Attempts()
        self._lost_at_start = 0

    def judge(self, source: TaskSource, size: int) -> Iterator[Grade]:
        """The grades of all tasks, in the order in which they come."""
        again = deque[Task]()
        for _ in range(size):
            self._start()
        while True:
            while self._ready and (task := again.popleft() if again else source.take()):
                self._give(self._ready.pop(), task)
            if source.ended and not (self._busy or again):
                return
            for reference in self._wait(source):
                if reference in self._starting:
                    self._started(reference)
                elif grade := self._take(reference, again):
                    yield grade

    def _wait(self, source: TaskSource) -> list[Any]:
        """Wait for Ray's results; while a judge is idle and tasks may come, poll both."""
        running = [*self._starting, *self._busy]
        if not self._ready or source.ended:
            return list(self._ray.wait(running, num_returns=1)[0])
        if select.select([source.fileno()], [], [], 0.0 if running else LOOK_SECONDS)[0]:
            source.read()
            return []
        return list(self._ray.wait(running, num_returns=1, timeout=LOOK_SECONDS)[0]) if running else []

    def _start(self) -> None:
        judge = self._actor.remote(self._plan, versions())
        self._all.append(judge)
        self._starting[judge.prepare.remote()] = judge

    def _started(self, reference: Any) -> None:
        judge = self._starting.pop(reference)
        try:
            failure = self._ray.get(reference)
        except self._ray.exceptions.RayActorError as error:
            self._lost_at_start += 1
            if self._lost_at_start > len(self._all):
                raise KitError(f"Judges are lost before they have judged anything: {error}") from error
            self._start()
            return
        if failure:
            raise KitError(f"A judge on the cluster cannot work: {failure}")
        self._ready.append(judge)

    def _give(self, judge: Any, task: Task) -> None:
        self._busy[judge.grade.remote(task)] = judge, task

    def _take(self, reference: Any, again: deque[Task]) -> Grade | None:
        """A grade; None if the judge was lost and another one tries."""
        judge, task = self._busy.pop(reference)
        try:
            grade: Grade = self._ray.get(reference)
        except self._ray.exceptions.RayActorError:
            self._start()
            failed = self._attempts.died(task)
            again.extend([] if failed else [task])
            return failed
        self._ready.append(judge)
        return grade

    def close(self) -> None:
        """End the judges, each with its fork server."""
        ends = [judge.close.remote() for judge in self._ready]
        if ends:
            self._ray.wait(ends, num_returns=len(ends), timeout=15)
        for judge in self._all:
            self._ray.kill(judge)
