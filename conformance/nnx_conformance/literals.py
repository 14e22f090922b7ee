"""The numbers that stand in a candidate's source: what it compares with, no drawing would meet by chance.

Read from untrusted text on the judge's side, so by tokens and not by a syntax tree: a tree can be nested as deep as its
author likes. Whatever is too long, too large or no Python ends the reading, and what was found until then counts.
"""

from __future__ import annotations

import io
import math
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Of a source, no more is read; of the numbers, no more and no longer ones are kept.
BYTES, MOST, DIGITS = 128 * 1024, 12, 40
#: A number is told by its magnitude from what every loop and every array begins with.
ORDINARY = (0, 1, 2)
LARGEST = 2**64
COMPARING = frozenset(("==", "!=", "<", ">", "<=", ">=", "%", "//", "in", "case", "is"))
ARITHMETIC = frozenset(("+", "-", "*", "**", "<<"))


@dataclass(frozen=True)
class Literals:
    """Numbers of a source, those that something is compared with before others, and none twice.

    Attributes:
        whole: whole numbers from 3 up, also those that are written as `1e6` or `2**31 - 1`; at most `MOST`.
        fractions: positive floats with a fractional part; at most `MOST`.
    """

    whole: tuple[int, ...] = ()
    fractions: tuple[float, ...] = ()


NONE = Literals()


def literals(source: bytes) -> Literals:
    """The numbers of a source; never raises for what a candidate may have written."""
    found = list(_numbers(source[:BYTES]))
    ranked = [number for number, compared in found if compared] + [number for number, compared in found if not compared]
    whole = dict.fromkeys(int(number) for number in ranked if float(number).is_integer())
    fractions = dict.fromkeys(float(number) for number in ranked if not float(number).is_integer())
    kept = [number for number in whole if number not in ORDINARY]
    return Literals(tuple(kept[:MOST]), tuple(fractions)[:MOST])


def of_file(path: str | Path | None) -> Literals:
    """The numbers of a file; none if it cannot be read."""
    try:
        with open(path or "", "rb") as file:
            return literals(file.read(BYTES))
    except (OSError, ValueError):
        return NONE


def _numbers(source: bytes) -> Iterator[tuple[int | float, bool]]:
    """Each number, and what a chain of numbers such as `2**31 - 1` comes to, with whether it is compared."""
    before, chain = "", _Chain()
    for token in _tokens(source):
        if token.type == tokenize.NUMBER and (number := _number(token.string)) is not None:
            compared = before in COMPARING or chain.compared
            chain.take(number, compared)
            yield number, compared
        elif token.string in ARITHMETIC:
            chain.operator = token.string
        else:
            if chain.length > 1 and chain.value is not None:
                yield chain.value, chain.compared or token.string in COMPARING
            if chain.length == 1 and chain.value is not None and token.string in COMPARING:
                yield chain.value, True
            chain = _Chain()
        before = token.string


class _Chain:
    """Numbers joined by operators, computed from left to right: it is a hint, and not arithmetic."""

    def __init__(self) -> None:
        self.value: int | float | None = None
        self.operator = ""
        self.length = 0
        self.compared = False

    def take(self, number: int | float, compared: bool) -> None:
        """Go on with one more number."""
        self.length += 1
        self.compared = self.compared or compared
        if self.length == 1:
            self.value, self.operator = number, ""
        elif self.value is not None:
            self.value = _computed(self.value, self.operator, number)


def _computed(left: int | float, operator: str, right: int | float) -> int | float | None:
    """What two numbers come to; None for what is not finite or beyond `LARGEST`."""
    whole = isinstance(left, int) and isinstance(right, int)
    if operator in ("**", "<<") and not (whole and 0 <= right <= 64 and abs(left) <= LARGEST):
        return None
    match operator:
        case "+":
            return _bounded(left + right)
        case "-":
            return _bounded(left - right)
        case "*":
            return _bounded(left * right)
        case "**":
            return _bounded(int(left) ** int(right))
        case "<<":
            return _bounded(int(left) << int(right))
    return None


def _number(text: str) -> int | float | None:
    """A number as it is written; None for a complex one, and for one that is too long or too large."""
    text = text.replace("_", "")
    if len(text) > DIGITS:
        return None
    try:
        return _bounded(int(text, 0))
    except ValueError:
        pass
    try:
        return _bounded(float(text))
    except ValueError:
        return None


def _bounded(number: int | float | None) -> int | float | None:
    if number is None or not math.isfinite(number) or not 0 <= number <= LARGEST:
        return None
    return number


def _tokens(source: bytes) -> Iterator[tokenize.TokenInfo]:
    try:
        yield from tokenize.tokenize(io.BytesIO(source).readline)
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        return
