"""The conditions in a candidate's source and what they compared: plain data that guides a search.

No verdict depends on it: a candidate's process that forges it misleads only the search for its own faults.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntFlag
from typing import Any

import numpy as np

from nnx_conformance.core.trail import Line

#: The most conditions watched, visits kept of each, elements of an array, and characters of a text.
SITES, VISITS, ELEMENTS, TEXT = 300, 24, 4096, 4096
#: The most members kept of a set, table or tuple, how deep they may nest, and the most bits of a whole number.
MEMBERS, DEPTH, BITS = 256, 2, 128


class Outcome(IntFlag):
    """How a comparison came out; for arrays, whether any and whether all elements did."""

    NONE = 0
    TRUE = 1
    FALSE = 2
    ALL_TRUE = 4
    ALL_FALSE = 8


ONCE_TRUE, ONCE_FALSE = Outcome.TRUE | Outcome.ALL_TRUE, Outcome.FALSE | Outcome.ALL_FALSE


#: The operators whose negation is an operator. Not `<`: both `x < y` and `x >= y` are false for NaN.
NEGATIONS: dict[type[ast.cmpop], str] = {ast.Eq: "!=", ast.NotEq: "==", ast.Is: "is not", ast.IsNot: "is"}
NEGATIONS |= {ast.In: "not in", ast.NotIn: "in"}


def negated(text: str) -> str:
    """The negation of a condition as it stands in the source: `x == 7` for `x != 7`, otherwise `not (...)`."""
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return f"not ({text})"
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in NEGATIONS:
        left, right = (ast.get_source_segment(text, side) for side in (node.left, node.comparators[0]))
        return f"{left} {NEGATIONS[type(node.ops[0])]} {right}"
    return f"not ({text})"


@dataclass(frozen=True, eq=False)
class Operand:
    """One side of a comparison.

    Attributes:
        text: JSON of a number, a text, or a list of these; for a set or a table, of its members. Otherwise empty.
        array: the value if it is an array of at least one dimension.
    """

    text: str = ""
    array: np.ndarray | None = None

    @property
    def value(self) -> Any:
        """The value; None if it was not recorded."""
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
    """A place in the source that compares or tests something.

    Attributes:
        line, text: where, and the condition as written there.
        function: the line of the outermost function around it.
        operator: `==`, `<`, `in`, ..., `truth` for a bare test, `call` for a call that returns a boolean, `table` for a
            call that looks a number up among others.
        outcome: all outcomes of the run, including those of visits that were not kept.
        traced: whether an operand was a tracer whose value is unknown.
        visits: the first comparisons, the one whose operands were nearest to each other, and the last.
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
    """What the conditions of the source compared in one run.

    Attributes:
        sites: every condition in the source, including those that the run did not reach.
        untouched: why some of the source could not be watched; empty if all could.
    """

    sites: tuple[Site, ...]
    untouched: str = ""


def checked(watched: Watched) -> Watched:
    """The record itself.

    Raises:
        ValueError: if it exceeds a limit of this module, or holds text that is no JSON.
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
    """A condition that no case made come out both ways.

    Attributes:
        never: the outcome that is missing: `true`, `false`, or `reached`.
        nearest: the operands that were nearest to it, as text; empty if unknown.
        advice: what happens if the kit sets the state so that it does, though no call leads there; mostly empty.
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
        outcome: all its outcomes in the case, as an `Outcome`.
        nearest: the operands that were nearest to each other, as text.
        advice: what happens if the kit sets the state so that it comes out otherwise; mostly empty.
    """

    line: Line
    text: str
    outcome: int
    nearest: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Conditions:
    """The conditions in the candidate's source, for its report.

    Attributes:
        total: how many there are.
        unmet: those that did not come out both ways.
        runs: how many runs the search for them took.
        note: why some or all conditions were not watched; empty if all were.
    """

    total: int = 0
    unmet: tuple[Unmet, ...] = ()
    runs: int = 0
    note: str = ""


def summed(conditions: Iterable[Met]) -> Conditions:
    """The conditions of many cases together; those with the same line and text are one."""
    merged: dict[tuple[Line, str], Met] = {}
    for condition in conditions:
        key = condition.line, condition.text
        known = merged.setdefault(key, condition)
        advice = known.advice or condition.advice
        merged[key] = replace(known, outcome=known.outcome | condition.outcome, advice=advice)
    by_line = sorted(merged.values(), key=lambda condition: (condition.line.file, condition.line.number))
    unmet = filter(None, map(_unmet, by_line))
    return Conditions(len(by_line), tuple(unmet))


def _unmet(condition: Met) -> Unmet | None:
    if not condition.outcome:
        return Unmet(condition.line, condition.text, "reached")
    for outcome, word in ((Outcome.TRUE, "true"), (Outcome.FALSE, "false")):
        if not condition.outcome & outcome:
            return Unmet(condition.line, condition.text, word, condition.nearest, condition.advice)
    return None
