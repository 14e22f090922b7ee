"""Judges on this machine: a process each, one candidate at a time each. One that dies is replaced."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from nnx_conformance.errors import KitError
from nnx_conformance.grading.order import Order
from nnx_conformance.grading.outcome import Outcome
from nnx_conformance.grading.work import Tries, Work
from nnx_conformance.isolation import linux

LEAVING_SECONDS = 15.0
#: So many candidates make up for the seconds for which the first of them then waits.
MANY = 16


@dataclass(frozen=True)
class _Judge:
    process: BaseProcess
    connection: Connection


def run(works: Sequence[Work], order: Order, jobs: int) -> Iterator[Outcome]:
    """The outcomes, in the order in which they come.

    Raises:
        KitError: if the contract's own right candidate does not conform here.
    """
    pool = _Pool(order, min(jobs, len(works)))
    try:
        pool.prepare(many=len(works) >= MANY)
        yield from pool.judge(works)
    finally:
        pool.close()


class _Pool:
    def __init__(self, order: Order, size: int) -> None:
        self._order = order
        self._context = multiprocessing.get_context("spawn")  # a fork would take over what runs in threads here
        self._judges = [self._start() for _ in range(size)]
        self._busy: dict[Connection, tuple[_Judge, Work]] = {}
        self._tries = Tries()

    def _start(self) -> _Judge:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self._order), daemon=True)
        process.start()
        theirs.close()
        return _Judge(process, ours)

    def prepare(self, *, many: bool) -> None:
        """Let one judge the contract's own candidate, while the others start, and more if there are `many`."""
        first = self._judges[0].connection
        try:
            first.send(many)
            failure = first.recv()
        except (EOFError, OSError) as error:
            raise KitError("A judge's process ended before it judged anything.") from error
        if failure:
            raise KitError(failure)

    def judge(self, works: Sequence[Work]) -> Iterator[Outcome]:
        """The outcomes of all works."""
        waiting = deque(works)
        idle = list(self._judges)
        while waiting or self._busy:
            while waiting and idle:
                self._give(idle.pop(), waiting.popleft())
            for connection in wait(list(self._busy)):
                assert isinstance(connection, Connection)
                judge, work = self._busy.pop(connection)
                found = self._take(connection)
                if found is None:
                    judge = self._replace(judge)
                    found = self._tries.died(work)
                    waiting.extend([] if found else [work])
                idle.append(judge)
                if found:
                    yield found

    def _give(self, judge: _Judge, work: Work) -> None:
        self._busy[judge.connection] = judge, work
        try:
            judge.connection.send(work)
        except OSError:
            return  # it has died; waiting for its answer tells so

    def _take(self, connection: Connection) -> Outcome | None:
        try:
            received = connection.recv()
        except (EOFError, OSError):
            return None
        assert isinstance(received, Outcome)
        return received

    def _replace(self, judge: _Judge) -> _Judge:
        self._judges.remove(judge)
        self._end(judge, 0.0)
        self._judges.append(self._start())
        return self._judges[-1]

    def close(self) -> None:
        """End every judge; what one is at is given up."""
        for judge in self._judges:
            judge.connection.close()
        for judge in self._judges:
            self._end(judge, 0.0 if judge.connection in self._busy else LEAVING_SECONDS)

    def _end(self, judge: _Judge, seconds: float) -> None:
        judge.connection.close()
        judge.process.join(seconds)
        if judge.process.is_alive():
            judge.process.terminate()
            judge.process.join()


def _serve(connection: Connection, order: Order) -> None:
    """A judge's process: prepare when told to, judge what comes, until the other side hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # one who interrupts the grading lets it end its judges itself
    if linux.LINUX:
        linux.die_with_parent()
    from nnx_conformance.grading.grader import Grader

    with Grader(order) as grader:
        grader.begin()  # while the first judge prepares
        while True:
            try:
                work = connection.recv()
                if isinstance(work, Work):
                    connection.send(grader.grade(work))
                else:
                    connection.send(_failure(grader, many=work))
            except (EOFError, OSError):
                return


def _failure(grader: object, *, many: bool) -> str:
    from nnx_conformance.grading.grader import Grader

    assert isinstance(grader, Grader)
    try:
        grader.prepare(many=many)
    except KitError as error:
        return str(error)
    return ""
