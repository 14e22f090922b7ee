"""The source of a grading's tasks: a list, or a stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from nnx_conformance.grading.tasks import Task


class TaskSource(Protocol):
    """Gives tasks to idle judges, and reads no more than they need."""

    @property
    def size(self) -> int | None:
        """How many tasks there are; None if nobody knows."""

    @property
    def ended(self) -> bool:
        """Whether no task is left and none will come."""

    def take(self) -> Task | None:
        """The next task; None if there is none yet."""

    def fileno(self) -> int:
        """The descriptor to wait on while `take` gives None."""

    def read(self) -> None:
        """Read the available input, without waiting."""


class Listed:
    """A source of a known list of tasks."""

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
        """Never called: a list gets no more tasks."""
        raise NotImplementedError

    def read(self) -> None:
        """Do nothing: a list gets no more tasks."""
