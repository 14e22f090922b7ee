"""Where the tasks of a grading come from: a list, or a stream that gives them as they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from nnx_conformance.grading.tasks import Task


class TaskSource(Protocol):
    """Gives tasks to whoever judges, who asks only when a judge is idle: so what is not needed yet is not read."""

    @property
    def size(self) -> int | None:
        """How many tasks there are; None if nobody knows."""

    @property
    def ended(self) -> bool:
        """Whether there is none left, and none will come."""

    def take(self) -> Task | None:
        """The next task; None if none is there now."""

    def fileno(self) -> int:
        """What can be read from as soon as more may have come; asked for only while `take` gives none."""

    def read(self) -> None:
        """Take in what has come, without waiting."""


class Listed:
    """A source of tasks that are all there."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = deque(tasks)
        self.size = len(self._tasks)

    @property
    def ended(self) -> bool:
        """Whether all were taken."""
        return not self._tasks

    def take(self) -> Task | None:
        """The next task."""
        return self._tasks.popleft() if self._tasks else None

    def fileno(self) -> int:
        """Never asked for: no more will come."""
        raise NotImplementedError

    def read(self) -> None:
        """Nothing more comes."""
