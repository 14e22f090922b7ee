"""Judges on this machine: one process each, one candidate at a time. Replaces a judge that dies."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from nnx_conformance.core.errors import KitError
from nnx_conformance.grading.grade import Grade
from nnx_conformance.grading.source import TaskSource
from nnx_conformance.grading.tasks import Attempts, GradingPlan, Task
from nnx_conformance.process import interrupts
from nnx_conformance.sandbox import linux

LEAVING_SECONDS = 15.0
#: So many candidates make up for the seconds for which the first of them then waits.
MANY = 16


@dataclass(frozen=True)
class _Judge:
    process: BaseProcess
    connection: Connection


def run(source: TaskSource, plan: GradingPlan, jobs: int) -> Generator[Grade]:
    """The grades, in the order in which they come.

    Raises:
        KitError: if the contract's own right candidate does not conform here.
    """
    pool = _Pool(plan, jobs if source.size is None else min(jobs, source.size))
    try:
        pool.prepare(many=source.size is None or source.size >= MANY)
        yield from pool.judge(source)
    except BaseException:
        pool.stop()
        raise
    pool.close()


class _Pool:
    def __init__(self, plan: GradingPlan, size: int) -> None:
        self._plan = plan
        self._context = multiprocessing.get_context("spawn")  # a fork would take over what runs in threads here
        self._judges = [self._start() for _ in range(size)]
        self._busy: dict[Connection, tuple[_Judge, Task]] = {}
        self._attempts = Attempts()

    def _start(self) -> _Judge:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self._plan), daemon=True)
        # Ctrl-C reaches the whole group; a judge that still imports would answer with a traceback.
        with interrupts.held_back():
            process.start()
        theirs.close()
        return _Judge(process, ours)

    def prepare(self, *, many: bool) -> None:
        """Let one judge prepare while the others start; with `many`, it compiles more."""
        first = self._judges[0].connection
        try:
            first.send(many)
            failure = first.recv()
        except (EOFError, OSError) as error:
            raise KitError("A judge's process ended before it judged anything.") from error
        if failure:
            raise KitError(failure)

    def judge(self, source: TaskSource) -> Iterator[Grade]:
        """The grades of all tasks."""
        again = deque[Task]()
        idle = list(self._judges)
        while True:
            while idle and (task := again.popleft() if again else source.take()):
                self._give(idle.pop(), task)
            if source.ended and not (self._busy or again):
                return
            for connection in wait([*self._busy, *([source.fileno()] if idle and not source.ended else [])]):
                if not isinstance(connection, Connection):
                    source.read()
                    continue
                judge, task = self._busy.pop(connection)
                grade = self._take(connection)
                if grade is None:
                    judge = self._replace(judge)
                    grade = self._attempts.died(task)
                    again.extend([] if grade else [task])
                idle.append(judge)
                if grade:
                    yield grade

    def _give(self, judge: _Judge, task: Task) -> None:
        self._busy[judge.connection] = judge, task
        try:
            judge.connection.send(task)
        except OSError:
            return  # it has died; waiting for its answer shows it

    def _take(self, connection: Connection) -> Grade | None:
        try:
            received = connection.recv()
        except (EOFError, OSError):
            return None
        assert isinstance(received, Grade)
        return received

    def _replace(self, judge: _Judge) -> _Judge:
        self._judges.remove(judge)
        self._end(judge, 0.0)
        self._judges.append(self._start())
        return self._judges[-1]

    def close(self) -> None:
        """End the idle judges."""
        for judge in self._judges:
            judge.connection.close()
        for judge in self._judges:
            self._end(judge, LEAVING_SECONDS)

    def stop(self) -> None:
        """End every judge now, in the middle of a candidate."""
        for judge in self._judges:
            judge.process.terminate()
        for judge in self._judges:
            self._end(judge, LEAVING_SECONDS)

    def _end(self, judge: _Judge, seconds: float) -> None:
        judge.process.join(seconds)
        judge.connection.close()
        if judge.process.is_alive():
            judge.process.kill()
            judge.process.join()


def _serve(connection: Connection, plan: GradingPlan) -> None:
    """A judge's process: prepares and judges on request, until the other side closes or ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # one who interrupts the grading lets it end its judges itself
    signal.signal(signal.SIGTERM, _leave)
    interrupts.admit()
    if linux.LINUX:
        linux.die_with_parent()
    from nnx_conformance.grading.grader import Grader

    try:
        with Grader(plan) as grader:
            grader.begin()  # while the first judge prepares
            while True:
                task = connection.recv()
                if isinstance(task, Task):
                    connection.send(grader.grade(task))
                else:
                    connection.send(_failure(grader, many=task))
    except (EOFError, OSError, KeyboardInterrupt):
        return


def _leave(*_: object) -> None:
    """End in order, the fork server first; ignore a second signal to the group meanwhile."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _failure(grader: object, *, many: bool) -> str:
    from nnx_conformance.grading.grader import Grader

    assert isinstance(grader, Grader)
    try:
        grader.prepare(many=many)
    except KitError as error:
        return str(error)
    return ""
