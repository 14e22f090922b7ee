"""Places in a candidate's source, and the trail of a run: after which of its lines something was another than before.

A trail is looked for only where a finding needs its line: following a run line by line is slow. It refines what a check
says of a violation; no check is violated because of it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A place in the candidate's source: `file` relative to the candidate's folder, `number` from 1."""

    file: str
    number: int
    source: str

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"


@dataclass(frozen=True)
class Change:
    """Something that was another after a line of the candidate than before it.

    Attributes:
        kind: `state` for what hangs on a module, `contents` for an assignment to a Variable's contents, `argument`,
            `kept` for what outlives the call, or `chance` for a random generator that the whole process shares.
        name: `Counter.count`, the argument, or the name under which it is kept.
        line: after which.
        before, after: the types; `nothing` before it was there.
        first, last: the numbers, where it holds one.
        home: for what is kept, the line that keeps it.
        inside: whether a call of a module was under way.
    """

    kind: str
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
    """What was found by following a run line by line.

    Attributes:
        changes: in the order in which they were first seen; one for each line and name.
        calls: the places of each of the run's calls.
        returned: the line that returned the result.
        loops: the heads of the loops that were come to, in that order.
    """

    changes: tuple[Change, ...]
    calls: tuple[Steps, ...]
    returned: Line | None
    loops: tuple[Line, ...]
