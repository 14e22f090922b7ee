"""Places in a candidate's source, and the trail of a run: after which of its lines something was another than before.

A trail is looked for only where a finding needs its line: following a run line by line is slow. It refines what a check
says of a violation; no check is violated because of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nnx_conformance.core.candidate.notebook import is_notebook


@dataclass(frozen=True)
class Line:
    """A place in the candidate's source.

    Attributes:
        file: relative to the candidate's folder.
        number, source: which line, from 1, and its text.
        cell: the cell of a notebook in which the line is counted, from 1; 0 if the file is none.
    """

    file: str
    number: int
    source: str
    cell: int = 0

    @property
    def within(self) -> str:
        """Where in a notebook, `cell 3 line 2`; empty if the file is none."""
        return f"cell {self.cell} line {self.number}" if self.cell else ""

    def __str__(self) -> str:
        return placed(self.file, self.number, self.within)


def placed(file: str, number: int | None, within: str = "") -> str:
    """A place as text: `solution.py:7`, `solution.ipynb cell 3 line 2`; `cell 3 line 2` in the notebook that runs."""
    if within:
        return f"{file} {within}" if is_notebook(file) else within
    return f"{file}:{number}" if number else file


class ChangeKind(StrEnum):
    """What a line changed."""

    STATE = "state"  # what hangs on a module
    CONTENTS = "contents"  # of a Variable, by an assignment
    ARGUMENT = "argument"
    OUTLIVING = "outliving"  # what outlives the call
    CHANCE = "chance"  # a random generator that the whole process shares
    COMPILED = "compiled"  # a method compiled for one module, which it takes as static


@dataclass(frozen=True)
class Change:
    """Something that was another after a line of the candidate than before it.

    Attributes:
        name: `Counter.count`, the argument, or the name under which it is kept.
        line: after which.
        before, after: the types; `nothing` before it was there.
        first, last: the numbers, where it holds one.
        home: for what outlives the call, the line that keeps it.
        inside: whether a call of a module was under way.
    """

    kind: ChangeKind
    name: str
    line: Line
    before: str
    after: str
    first: float | None
    last: float | None
    home: Line | None
    inside: bool


@dataclass(frozen=True)
class Steps:
    """The places of one call of an outermost module.

    Attributes:
        loop: the loop around the line that makes it.
        output: the line that returned what it returned.
        entered: where the candidate handed the call to a transform of JAX.
    """

    loop: Line | None
    output: Line | None
    entered: Line | None


@dataclass(frozen=True)
class Trail:
    """A run followed line by line.

    Attributes:
        changes: in the order in which each came first; one for each line and name.
        calls: the places of each of the run's calls.
        returned: the line that returned the result.
        loops: the heads of the loops that were come to, in that order.
    """

    changes: tuple[Change, ...]
    calls: tuple[Steps, ...]
    returned: Line | None
    loops: tuple[Line, ...]
