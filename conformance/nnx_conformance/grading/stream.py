"""Grading as a service: reads candidates line by line and answers each as soon as it is judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

from nnx_conformance.core.errors import Misuse
from nnx_conformance.grading.grade import FINAL
from nnx_conformance.grading.lines import Lines
from nnx_conformance.grading.listing import row_data
from nnx_conformance.grading.run import Engine, compilations
from nnx_conformance.grading.store import Store
from nnx_conformance.grading.submissions import LONGEST, of_line
from nnx_conformance.grading.tasks import GradingPlan, Task, key

#: A line may hold a source in which JSON writes each character as six.
LONGEST_LINE = 8 * LONGEST
#: The status of a line that holds no candidate.
REFUSED = "refused"
STDIN = "stdin"

#: Writes one answer.
WriteLine = Callable[[dict[str, Any]], None]


def judge_stream(descriptor: int, plan: GradingPlan, store: Store, engine: Engine, write: WriteLine) -> Counter[str]:
    """Judge candidates from a descriptor until it ends, and answer each line, in any order.

    Returns:
        how many candidates have each status; a line that holds none is `refused`.
    """
    stream = _CandidateStream(Lines(descriptor, LONGEST_LINE), plan, store, write)
    with compilations(plan) as cache, closing(engine(stream, replace(plan, cache=cache))) as grades:
        for grade in grades:
            store.add(grade)
            stream.answer(grade.key, known=grade.status in FINAL)
    return stream.statuses


class _CandidateStream:
    """A `TaskSource` of new candidates; answers known ones itself."""

    size = None

    def __init__(self, lines: Lines, plan: GradingPlan, store: Store, write: WriteLine) -> None:
        self.statuses = Counter[str]()
        self._lines = lines
        self._plan = plan
        self._store = store
        self._write = write
        self._known = store.known()
        self._ids: set[str] = set()
        self._asking: dict[str, list[str]] = {}

    @property
    def ended(self) -> bool:
        return self._lines.ended

    def fileno(self) -> int:
        return self._lines.descriptor

    def read(self) -> None:
        self._lines.read()

    def take(self) -> Task | None:
        while (line := self._lines.take()) is not None:
            try:
                if task := self._task(*line):
                    return task
            except Misuse as error:
                self.statuses[REFUSED] += 1
                self._write({"id": None, "status": REFUSED, "line": line[0], "reason": str(error)})
        return None

    def _task(self, number: int, line: bytes) -> Task | None:
        """The task of a line; None if its result is known or under way.

        Raises:
            Misuse: if the line holds no candidate, or one of an id that came before.
        """
        if len(line) >= LONGEST_LINE:
            raise Misuse(
                f"Expected lines of less than {LONGEST_LINE} bytes but {STDIN}:{number} is longer. Leave it out."
            )
        one = of_line(f"{STDIN}:{number}", line)
        if one.id in self._ids:
            raise Misuse(f"Expected ids that are all different but {STDIN}:{number} holds {one.id!r} again. Rename it.")
        self._ids.add(one.id)
        asked = key(one.source, self._plan)
        self._store.enlist([(one.id, asked, one.source)])
        new = asked not in self._asking
        self._asking.setdefault(asked, []).append(one.id)
        if asked in self._known:
            self.answer(asked, known=True)
            return None
        return Task(asked, one.id, one.source) if new else None

    def answer(self, key: str, *, known: bool) -> None:
        """Answer all lines that wait for a stored result; a result that is not `known` is judged again."""
        if known:
            self._known.add(key)
        for id in self._asking.pop(key, []):
            if row := self._store.row(id):
                self.statuses[row.status] += 1
                self._write(row_data(row, self._store))
