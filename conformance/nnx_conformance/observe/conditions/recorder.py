"""The recording functions that the rewritten source calls: they record operands and outcomes, a limited number each.

A recording function returns what the comparison itself returns, and raises what it raises, even if recording fails.
"""

from __future__ import annotations

import json
import math
import operator
import sys
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from flax import nnx

from nnx_conformance.core.search.conditions import (
    BITS,
    DEPTH,
    ELEMENTS,
    MEMBERS,
    TEXT,
    VISITS,
    Comparison,
    Operand,
    Outcome,
)
from nnx_conformance.core.wire import DTYPES
from nnx_conformance.observe.conditions import syntax
from nnx_conformance.observe.flax_versions import contents, is_key, is_tracer, lanes, primal
from nnx_conformance.observe.frameworks.tensors import as_numpy, is_tensor

#: How many first visits are kept; the nearest and the last visit are kept besides.
FIRST = VISITS - 2
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "is": operator.is_,
    "is not": operator.is_not,
    "in": lambda member, holder: member in holder,
    "not in": lambda member, holder: member not in holder,
}


@dataclass(eq=False)
class Comparisons:
    """The visits of one condition."""

    outcome: Outcome = Outcome.NONE
    traced: bool = False
    first: list[Comparison] = field(default_factory=list)
    nearest: Comparison | None = None
    distance: float = math.inf
    last: Comparison | None = None

    def kept(self) -> tuple[Comparison, ...]:
        """The first visits, the nearest and the last."""
        return (*self.first, *(visit for visit in (self.nearest, self.last) if visit is not None))


class ConditionRecorder:
    """The recording functions of one run, and the visits that they recorded, by the number of the condition."""

    def __init__(self) -> None:
        self.visits: dict[int, Comparisons] = {}
        self._links: dict[int, list[Any]] = {}

    def functions(self) -> dict[str, Any]:
        """The recording functions, by the names that the rewritten source calls."""
        return {
            syntax.COMPARE: self.compare,
            syntax.LINK: self.link,
            syntax.RIGHT: self.right,
            syntax.TRUTH: self.truth,
            syntax.MATCH: self.match,
            syntax.ITEM: self.item,
            syntax.CALL: self.call,
        }

    def compare(self, number: int, name: str, left: Any, right: Any) -> Any:
        """Compare two operands."""
        result = OPERATIONS[name](left, right)
        self._record(number, left, right, result)
        return result

    def link(self, number: int, name: str, left: Any, right: Any) -> Any:
        """Compare two operands of a chain, and keep the right one for the next link."""
        result = self.compare(number, name, left, right)
        self._links[id(sys._getframe(1))] = [right]
        return result

    def right(self) -> Any:
        """The right operand of the previous link in this frame."""
        return self._links.pop(id(sys._getframe(1))).pop()

    def truth(self, number: int, value: Any) -> bool:
        """Test a value for truth."""
        result = bool(value)
        sized = isinstance(value, (str, bytes, list, tuple, dict, Set))
        self._record(number, len(value) if sized else value, 0, result)
        return result

    def match(self, subject: Any, patterns: tuple[tuple[int, Any], ...]) -> Any:
        """Compare the subject of a `match` with the values of its patterns."""
        for number, value in patterns:
            self._record(number, subject, value, _matches(subject, value))
        return subject

    def item(self, number: int, holder: Any, key: Any) -> Any:
        """Subscript a value; a key of a mapping is compared with its keys."""
        if isinstance(holder, Mapping):
            self._record(number, key, holder, None)
        return holder[key]

    def call(self, number: int, function: Any, /, *arguments: Any, **keywords: Any) -> Any:
        """Make a call that compares its arguments, or looks one up among others."""
        result = function(*arguments, **keywords)
        owner = getattr(function, "__self__", None)
        holder = isinstance(owner, (str, bytes, Mapping, Set))
        left, right = (owner, *arguments)[:2] if holder and arguments else (*arguments, None, None)[:2]
        if isinstance(owner, Mapping):
            left, right = right, owner
        self._record(number, left, right, result)
        return result

    def _record(self, number: int, left: Any, right: Any, result: Any) -> None:
        try:
            self._add(self.visits.setdefault(number, Comparisons()), left, right, result)
        except Exception:  # noqa: BLE001 - the candidate's operands may raise anything
            return

    def _add(self, visits: Comparisons, left: Any, right: Any, result: Any) -> None:
        outcome = _outcome(result)
        visits.outcome |= outcome
        visits.traced = visits.traced or _is_unknown(left) or _is_unknown(right)
        if len(visits.first) < FIRST:
            visits.first.append(Comparison(_operand(left), _operand(right), int(outcome)))
        elif type(left) in (int, float) and type(right) in (int, float):
            visits.last = Comparison(_operand(left), _operand(right), int(outcome))
            if abs(left - right) < visits.distance:
                visits.nearest, visits.distance = visits.last, abs(left - right)


def _is_unknown(value: Any) -> bool:
    return is_tracer(value) and _known(value) is None


def _matches(subject: Any, pattern: Any) -> bool:
    if isinstance(pattern, tuple):
        as_long = isinstance(subject, Sequence) and len(subject) == len(pattern)
        return as_long and all(part is None or value == part for value, part in zip(subject, pattern, strict=True))
    return bool(subject == pattern) if type(subject) in (bool, int, float, str, bytes) else False


def _outcome(result: Any) -> Outcome:
    known = _known(result)
    if isinstance(known, np.ndarray) and known.dtype == bool:
        some, every = bool(known.any()), bool(known.all())
        outcome = (Outcome.TRUE if some else Outcome.ALL_FALSE) | (Outcome.ALL_TRUE if every else Outcome.FALSE)
        return outcome if known.size else Outcome.NONE
    if type(known) is bool:
        return Outcome.TRUE | Outcome.ALL_TRUE if known else Outcome.FALSE | Outcome.ALL_FALSE
    return Outcome.NONE


def _known(value: Any) -> Any:
    """A value in Python or NumPy; for a tracer its concrete value, or None if that is unknown."""
    if isinstance(value, nnx.Variable):
        value = contents(value)
    if is_tracer(value := primal(value)) and (value := lanes(value)) is None:
        return None
    if isinstance(value, jax.Array):
        value = None if is_key(value) or value.size > ELEMENTS else np.asarray(value)
    if is_tensor(value):
        value = as_numpy(value)
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    return value


def _operand(value: Any) -> Operand:
    known = _known(value)
    if isinstance(known, np.ndarray):
        sendable = known.dtype.name in DTYPES and known.dtype.kind not in "cO" and known.size <= ELEMENTS
        return Operand(array=np.array(known)) if sendable else Operand()  # a copy: the candidate may write to it later
    text = json.dumps(_plain(known, DEPTH))
    return Operand(text if len(text) <= 2 * TEXT and text != "null" else "")


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if type(value) in (bool, str):
        return None if type(value) is str and len(value) > TEXT else value
    if isinstance(value, int):  # including members of an IntEnum
        return None if value.bit_length() > BITS else int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, (list, tuple, range, dict, Set, Mapping)) and depth:
        members = [_plain(_known(member), depth - 1) for member, _ in zip(value, range(MEMBERS), strict=False)]
        return sorted(members, key=repr) if isinstance(value, Set) else members
    if isinstance(value, np.ndarray) and depth and value.size <= MEMBERS:
        return value.ravel().tolist()
    return None
