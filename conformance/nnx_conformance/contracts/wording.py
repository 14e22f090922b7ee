"""Values in messages: short, in one line, the same in every contract."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nnx_conformance.core.case import array_text
from nnx_conformance.core.facts import Value

#: The most numbers of an array in a message.
FEW = 6


def value_text(value: Value | None) -> str:
    """A result, `[2. 0.5]`, or a short text if it has no numbers."""
    if value is None:
        return "nothing"
    return array_text(value.array) if value.array is not None else value.text


def number_text(number: float) -> str:
    """A number; whole ones without a fraction, `3`."""
    if not math.isfinite(number):
        return str(number)
    return str(int(number)) if number == int(number) else repr(number)


def rise(by: float) -> str:
    """How a number reacted to an intervention: `rose by 0.75`."""
    if by == 0:
        return "stayed the same"
    return f"rose by {by:g}" if by > 0 else f"fell by {-by:g}" if by < 0 else "is not a number"


def also_astray(part: str, others: Sequence[int]) -> str:
    """A clause that names further lanes or features that do not follow their own change; empty for none."""
    if not others:
        return ""
    if len(others) == 1:
        return f"; {part} {others[0]} does not follow its own change either"
    return f"; {part}s {', '.join(map(str, others))} do not follow their own changes either"


def numbers_text(array: np.ndarray | None) -> str:
    """The first numbers of an array of any shape, `[1, 2.5, ...]`."""
    if array is None:
        return "nothing"
    numbers = [f"{number:.7g}" for number in array.astype(np.float64).ravel()[:FEW]]
    return f"[{', '.join(numbers)}{', ...' if array.size > len(numbers) else ''}]"
