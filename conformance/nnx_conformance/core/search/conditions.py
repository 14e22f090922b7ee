"""The conditions in a candidate's source, and what was compared there: plain data that leads a search.

No verdict rests on it. A candidate's process may forge it, and then leads nobody but its own search astray.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntFlag
from typing import Any

import numpy as np

from nnx_conformance.core.trail import Line

#: More conditions are not watched, of none are more visits kept, and no larger array or longer text.
SITES, VISITS, ELEMENTS, TEXT = 300, 24, 4096, 4096
#: Of a set, a table or a tuple, so many members are kept, so deep within each other; of a whole number so many bits.
MEMBERS, DEPTH, BITS = 256, 2, 128


class Outcome(IntFlag):
    """How a comparison came out; of one of arrays, whether any and whether all of its elements did."""

    NONE = 0
    TRUE = 1
    FALSE = 2
    ALL_TRUE = 4
    ALL_FALSE = 8


ONCE_TRUE, ONCE_FALSE = Outcome.TRUE | Outcome.ALL_TRUE, Outcome.FALSE | Outcome.ALL_FALSE


@dataclass(frozen=True, eq=False)
class Operand:
    """One side of a comparison.

    Attributes:
        text: JSON of a number, a text, or a list of these; of a set or a table its members. Empty for anything else.
        array: the value where it is an array with sides.
    """

    text: str = ""
    array: np.ndarray | None = None

    @property
    def value(self) -> Any:
        """The value, or None for what is neither."""
        if self.array is not None:
            return self.array
        return json.loads(self.text) if self.text else None


@dataclass(frozen=True, eq=False)
class Comparison:
    """One comparison: its operands and an `Outcome`, 0 where it has none."""

    left: Operand
    right: Operand
    outcome: int


@dataclass(frozen=True, eq=False)
class Site:
    """A place in the source where something is compared or tested.

    Attributes:
        line, text: where, and the condition as it stands there.
        function: the line of the outermost function around it.
        operator: `==`, `<`, `in`, ..., `truth` for a bare test, `call` for a call that answers yes or no, `table` for
            one that looks a number up among others.
        outcome: all outcomes of the run, those of visits that were not kept included.
        traced: whether an operand was known only to a trace.
        visits: the first comparisons, those that came nearest, and the last.
    """

    line: Line
    function: int
    text: str
    operator: str
    outcome: int
    traced: bool
    visits: tuple[Comparison, ...]


@dataclass(frozen=True, eq=False)
class Watched:
    """What one run compared.

    Attributes:
        sites: every condition in the source, those that the run did not come to included.
        untouched: why some source could not be watched; empty if all could.
    """

    sites: tuple[Site, ...]
    untouched: str = ""


def checked(watched: Watched) -> Watched:
    """The same.

    Raises:
        ValueError: if it holds more than is kept of a run, or text that is no JSON.
    """
    if len(watched.sites) > SITES or any(len(site.visits) > VISITS for site in watched.sites):
        raise ValueError("more conditions, or more visits of one, than are kept")
    for operand in (side for site in watched.sites for visit in site.visits for side in (visit.left, visit.right)):
        if len(operand.text) > 2 * TEXT or (operand.array is not None and operand.array.size > ELEMENTS):
            raise ValueError("a larger operand than is kept")
        try:
            _check_value(operand.value, DEPTH)
        except RecursionError:
            raise ValueError("an operand that holds others too deep within") from None
    return watched


def _check_value(value: Any, depth: int) -> None:
    whole = type(value) is int and value.bit_length() > BITS
    large = isinstance(value, (str, list)) and len(value) > (TEXT if isinstance(value, str) else MEMBERS)
    if whole or large or isinstance(value, dict) or (isinstance(value, list) and not depth):
        raise ValueError("an operand of another kind than is kept")
    for part in value if isinstance(value, list) else ():
        _check_value(part, depth - 1)


@dataclass(frozen=True)
class Unmet:
    """A condition that the cases did not meet both ways.

    Attributes:
        never: the outcome that is missing: `true`, `false`, or `reached`.
        nearest: the operands that came nearest to it, as text; empty where they have none.
        advice: what happens where the kit sets the state so that it is met, which no call leads to; mostly empty.
    """

    line: Line
    text: str
    never: str
    nearest: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Met:
    """A condition in a trace, and how it came out in one case.

    Attributes:
        outcome: all of its outcomes that were reached, as an `Outcome`.
        nearest: the operands that came nearest to each other, as text.
        advice: what happens where the kit sets the state so that it comes out otherwise; mostly empty.
    """

    line: Line
    text: str
    outcome: int
    nearest: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Conditions:
    """What a report says of the conditions in the candidate's source.

    Attributes:
        total: how many there are.
        unmet: those that were not met both ways.
        runs: how many runs the search for them took.
        note: why conditions were not watched, or not all of them; empty if all were.
    """

    total: int = 0
    unmet: tuple[Unmet, ...] = ()
    runs: int = 0
    note: str = ""


def summed(several: Iterable[Met]) -> Conditions:
    """What cases met, summed up: a condition is one and the same by its line and its text."""
    conditions: dict[tuple[Line, str], Met] = {}
    for met in several:
        known = conditions.setdefault((met.line, met.text), met)
        advice = known.advice or met.advice
        conditions[met.line, met.text] = replace(known, outcome=known.outcome | met.outcome, advice=advice)
    every = sorted(conditions.values(), key=lambda met: (met.line.file, met.line.number))
    unmet = (_unmet(met) for met in every)
    return Conditions(len(every), tuple(each for each in unmet if each is not None))


def _unmet(met: Met) -> Unmet | None:
    if not met.outcome:
        return Unmet(met.line, met.text, "reached")
    for wanted, word in ((Outcome.TRUE, "true"), (Outcome.FALSE, "false")):
        if not met.outcome & wanted:
            return Unmet(met.line, met.text, word, met.nearest, met.advice)
    return None
