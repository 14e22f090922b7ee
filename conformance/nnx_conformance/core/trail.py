"""Places in a candidate's source, and the trail of a run: which of its lines changed what.

We record a trail only if a finding needs its line: following a run line by line is slow. A trail improves a violation's
line and cause; no check is violated because of it.
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
        number, source: the line's number from 1, and its text.
        cell: the notebook cell that the number counts in, from 1; 0 if the file is no notebook.
    """

    file: str
    number: int
    source: str
    cell: int = 0

    @property
    def within(self) -> str:
        """The place in a notebook, `cell 3 line 2`; empty if the file is no notebook."""
        return f"cell {self.cell} line {self.number}" if self.cell else ""

    def __str__(self) -> str:
        return placed(self.file, self.number, self.within)


def placed(file: str, number: int | None, within: str = "") -> str:
    """A place as text: `solution.py:7`, `solution.ipynb cell 3 line 2`; `cell 3 line 2` in the running notebook."""
    if within:
        return f"{file} {within}" if is_notebook(file) else within
    return f"{file}:{number}" if number else file


class ChangeKind(StrEnum):
    """What a line changed."""

    STATE = "state"  # an attribute of a module, or the contents of its Variable
    CONTENTS = "contents"  # an assignment to a Variable's contents, whether or not it changed them
    ARGUMENT = "argument"
    OUTLIVING = "outliving"  # an object that outlives the candidate's call
    CHANCE = "chance"  # a random generator that the whole process shares
    COMPILED = "compiled"  # a method compiled for one module, because `self` is static


@dataclass(frozen=True)
class Change:
    """A difference before and after a line of the candidate ran.

    Attributes:
        name: `Counter.count`, the argument, or the name that keeps the object alive.
        line: the line that changed it.
        before, after: the types; `nothing` if it did not exist.
        first, last: its numbers before and after, if it holds single numbers.
        home: the line that keeps an outliving object.
        inside: whether a call of a module was running.
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
    """The lines of one call of an outermost module.

    Attributes:
        loop: the loop around the line that makes the call.
        output: the line that returned its output.
        entered: the line that passed the call to a JAX transform.
    """

    loop: Line | None
    output: Line | None
    entered: Line | None


@dataclass(frozen=True)
class Trail:
    """A run followed line by line.

    Attributes:
        changes: in the order of their first occurrence; one for each line and name.
        calls: the lines of each of the run's calls.
        returned: the line that returned the result.
        loops: the heads of the loops that ran, in that order.
    """

    changes: tuple[Change, ...]
    calls: tuple[Steps, ...]
    returned: Line | None
    loops: tuple[Line, ...]
