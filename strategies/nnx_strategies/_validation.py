"""Validation of arguments: what was expected, the value given, its type, and the exact fix."""

from __future__ import annotations

import operator
from typing import Any

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument


def misuse(*, expected: str, name: str, value: object, fix: str) -> InvalidArgument:
    """The error for a bad argument, in the form of all messages of this package."""
    shown = f"{name}={value!r} (type={type(value).__name__})"
    return InvalidArgument(f"Expected {expected} but got {shown}. {fix}")


def whole(name: str, value: Any) -> int:
    """`value` as an int; NumPy integers count, bools and floats do not."""
    if not isinstance(value, bool):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise misuse(expected="an int", name=name, value=value, fix=_whole_fix(name, value))


def _whole_fix(name: str, value: Any) -> str:
    try:
        return f"Pass {name}={int(value)}."
    except (TypeError, ValueError, OverflowError):
        return f"Pass {name} as a whole number, such as {name}=1."


def bounds(*, low: Any, high: Any, names: tuple[str, str], least: int | None = None) -> range:
    """Check a pair of bounds.

    Args:
        low: the lower bound, an int.
        high: the upper bound, an int, included.
        names: the names of the two arguments, for the messages.
        least: the smallest valid `low`; None for any.

    Returns:
        The whole numbers from `low` to `high`, both included.

    Raises:
        InvalidArgument: if a bound is no int, `low < least`, or `high < low`.
    """
    first, last = whole(names[0], low), whole(names[1], high)
    if least is not None and first < least:
        fix = f"Pass {names[0]}={least}."
        raise misuse(expected=f"an int >= {least}", name=names[0], value=low, fix=fix)
    if last < first:
        fix = f"Pass {names[1]}={first} or more, or a smaller {names[0]}."
        expected = f"an int >= {names[0]}={first}"
        raise misuse(expected=expected, name=names[1], value=high, fix=fix)
    return range(first, last + 1)


def strategy(name: str, value: Any, *, example: str) -> st.SearchStrategy[Any]:
    """`value`, if it is a strategy; otherwise the message suggests the code in `example`."""
    if isinstance(value, st.SearchStrategy):
        return value
    fix = f"Pass a strategy, such as {name}={example}."
    raise misuse(expected="a Hypothesis strategy", name=name, value=value, fix=fix)
