"""Rare conditions on a case: those that a good generator should meet, and single values that no generator meets.

We derive them from cases that a contract draws; no contract or parameter is named here.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nnx_conformance.core.case import Case

#: `boundary`: a generator that knows its boundaries meets it. `pair`: two of these together. `literal`: one value among
#: millions, which only a reader of the candidate's source can find.
Family = Literal["boundary", "pair", "literal"]


@dataclass(frozen=True)
class RareCondition:
    """A condition on the arguments of a case.

    Attributes:
        name: kebab-case, unique within a contract.
        family: tells whether a generator should meet it.
        test: a Python expression of the parameters' names, as NumPy data, and `np`.
    """

    name: str
    family: Family
    test: str

    def compiled(self) -> Any:
        """The compiled expression, for `holds`."""
        return compile(self.test, self.name, "eval")


def holds(test: Any, case: Case) -> bool:
    """Whether a compiled condition holds on a case."""
    values = {argument.name: argument.data for argument in case.arguments}
    return bool(eval(test, {"np": np, **values}))


def conditions(cases: Sequence[Case]) -> tuple[RareCondition, ...]:
    """The rare conditions of a contract.

    Args:
        cases: drawn cases, enough to show the kind and the range of each argument.
    """
    names = [argument.name for argument in cases[0].arguments] if cases else []
    singles = [tuple(_of_argument(name, [case[name] for case in cases])) for name in names]
    first = [condition for family in singles for condition in family]
    return (*first, *_pairs(singles), *_literals(names, cases))


def _of_argument(name: str, values: Sequence[np.ndarray]) -> Iterator[RareCondition]:
    if any(value.dtype.kind not in "biuf" for value in values):
        return
    if any(value.ndim for value in values):
        for axis in range(min(value.ndim for value in values)):
            yield from _sizes(name, axis, [value.shape[axis] for value in values])
        yield from _contents(name)
    else:
        numbers = [float(value) for value in values]
        yield from _whole(name, numbers) if all(map(float.is_integer, numbers)) else _fraction(name, numbers)


def _whole(name: str, numbers: Sequence[float]) -> Iterator[RareCondition]:
    low, high = int(min(numbers)), int(max(numbers))
    yield RareCondition(f"{name}-lowest", "boundary", f"{name} == {low}")
    yield RareCondition(f"{name}-highest", "boundary", f"{name} == {high}")
    yield RareCondition(f"{name}-odd", "boundary", f"int({name}) % 2 == 1")
    yield RareCondition(f"{name}-even-above-{low}", "boundary", f"{name} > {low} and int({name}) % 2 == 0")
    yield RareCondition(f"{name}-two-modulo-three", "boundary", f"int({name}) % 3 == 2")
    yield RareCondition(f"{name}-three-modulo-four", "boundary", f"int({name}) % 4 == 3")
    yield RareCondition(f"{name}-power-of-two", "boundary", f"{name} > 4 and int({name}) & (int({name}) - 1) == 0")
    yield RareCondition(
        f"{name}-before-power-of-two", "boundary", f"{name} > 4 and int({name}) & (int({name}) + 1) == 0"
    )
    for power in _powers(low, high):
        yield RareCondition(f"{name}-from-{power}", "boundary", f"{name} >= {power}")
        yield RareCondition(f"{name}-beyond-{power}", "boundary", f"{name} > {power}")


def _powers(low: int, high: int) -> list[int]:
    """Powers of two at which code may behave differently: all in a small range, the limits of types in a large one."""
    kept = range(1, 8) if high < 1 << 12 else (8, 16, 24, 31)
    return [1 << power for power in kept if max(low, 1) < 1 << power < high]


def _fraction(name: str, numbers: Sequence[float]) -> Iterator[RareCondition]:
    low, high = min(numbers), max(numbers)
    yield RareCondition(f"{name}-lowest", "boundary", f"{name} <= {low!r}")
    yield RareCondition(f"{name}-near-highest", "boundary", f"{name} >= {low + 0.95 * (high - low)!r}")
    yield RareCondition(f"{name}-upper-half", "boundary", f"{name} > {(low + high) / 2!r}")
    yield RareCondition(f"{name}-no-tenth", "boundary", f"abs({name} * 10 - np.rint({name} * 10)) > 1e-3")


def _sizes(name: str, axis: int, sizes: Sequence[int]) -> Iterator[RareCondition]:
    low, high = min(sizes), max(sizes)
    size, label = (f"{name}.shape[{axis}]", f"{name}-axis-{axis}" if axis else f"{name}-length")
    if low == high:
        return
    for number in (low, low + 1, low + 2):
        yield RareCondition(f"{label}-{number}", "boundary", f"{size} == {number}")
    yield RareCondition(f"{label}-odd-from-3", "boundary", f"{size} % 2 == 1 and {size} > 2")
    yield RareCondition(f"{label}-even", "boundary", f"{size} % 2 == 0")
    yield RareCondition(f"{label}-two-modulo-three", "boundary", f"{size} % 3 == 2")
    for block in (4, 8, 16, 32, 64, 128):
        if 2 * block <= high:
            yield RareCondition(f"{label}-multiple-of-{block}", "boundary", f"{size} > 0 and {size} % {block} == 0")
            yield RareCondition(
                f"{label}-one-beyond-blocks-of-{block}", "boundary", f"{size} > 1 and {size} % {block} == 1"
            )
            yield RareCondition(
                f"{label}-one-short-of-blocks-of-{block}", "boundary", f"{size} % {block} == {block - 1}"
            )
            yield RareCondition(f"{label}-beyond-{block}", "boundary", f"{size} > {block}")
    for bound in (256, 512, 768, 1000):
        if bound < high:
            yield RareCondition(f"{label}-beyond-{bound}", "boundary", f"{size} > {bound}")


#: Conditions on the contents of an array; `X` is the flattened array.
CONTENTS = {
    "sum-negative": "X.sum(dtype='float64') < 0",
    "sum-zero-of-others": "X.any() and abs(X.sum(dtype='float64')) < 1e-30",
    "sum-positive-with-negatives": "X.sum(dtype='float64') > 0 and (X < 0).any()",
    "sum-small-beside-elements": "0 < abs(X.sum(dtype='float64')) < 1e-3 * abs(X).max()",
    "sum-beyond-exact": "abs(X.sum(dtype='float64')) > 2**24",
    "sum-fractional": "X.sum(dtype='float64') % 1 != 0",
    "all-zero": "not X.any()",
    "holds-zero-and-others": "X.any() and not X.all()",
    "holds-negative-zero": "((X == 0) & np.signbit(X)).any()",
    "all-equal": "X.size > 1 and (X == X[0]).all()",
    "all-different": "X.size > 8 and len(np.unique(X)) == X.size",
    "ties": "X.size > 2 and 1 < len(np.unique(X)) < X.size",
    "ascending": "X.size > 2 and (np.diff(X) >= 0).all() and X[0] < X[-1]",
    "descending": "X.size > 2 and (np.diff(X) <= 0).all() and X[0] > X[-1]",
    "all-negative": "(X < 0).all()",
    "all-positive": "(X > 0).all()",
    "alternating": "X.size > 2 and (X[1:] * X[:-1] < 0).all()",
    "first-negative": "X[0] < 0",
    "last-negative": "X.size > 1 and X[-1] < 0 <= X[0]",
    "last-is-largest": "X.size > 2 and (X[-1] > X[:-1]).all()",
    "first-is-largest": "X.size > 2 and (X[0] > X[1:]).all()",
    "odd-one-out-at-the-end": "X.size > 16 and X[-1] != X[-2] and (X[1:-1] == X[1]).all()",
    "beyond-sixteenth-differs": "X.size > 16 and (X[16:] != X[0]).any()",
    "beyond-hundredth-varies": "X.size > 101 and len(np.unique(X[100:])) > 1",
    "at-the-bound": "abs(X).max() >= 1e6",
    "near-the-bound": "9e5 < abs(X).max() < 1e6",
    "in-the-thousands": "1e3 <= abs(X).max() < 1e4",
    "at-most-one": "X.any() and abs(X).max() <= 1",
    "tiny": "X.any() and abs(X).max() < 1e-6",
    "tiny-beside-large": "abs(X).max() > 1e3 and ((X != 0) & (abs(X) < 1e-3)).any()",
    "whole-numbers": "X.size > 2 and (X == np.rint(X)).all() and len(np.unique(X)) > 2",
    "fractions": "(X != np.rint(X)).any()",
    "not-exact-in-half-precision": "(X.astype('float32') != np.clip(X, -6e4, 6e4).astype('float16')).any()",
}


def _contents(name: str) -> Iterator[RareCondition]:
    for label, test in CONTENTS.items():
        guard = f"{name}.size > 0 and "
        yield RareCondition(f"{name}-{label}", "boundary", f"{guard}({test.replace('X', f'{name}.ravel()')})")


def _pairs(singles: Sequence[Sequence[RareCondition]]) -> Iterator[RareCondition]:
    """Pairs of the conditions in `PAIRED`, each of another argument."""
    kept = [[first for first in conditions if first.name.endswith(PAIRED)] for conditions in singles]
    for left, right in itertools.combinations(kept, 2):
        for first, second in itertools.product(left, right):
            yield RareCondition(f"{first.name}-and-{second.name}", "pair", f"({first.test}) and ({second.test})")


#: The ends of names of conditions that we pair: those that divide the cases most evenly.
PAIRED = ("-odd", "-from-16", "-odd-from-3", "-multiple-of-8", "-sum-negative", "-lowest", "-highest", "-upper-half")


def _literals(names: Sequence[str], cases: Sequence[Case]) -> Iterator[RareCondition]:
    """Conditions on single values away from all boundaries; the last one needs two of them together."""
    single = [condition for name in names for condition in _literals_of(name, [case[name] for case in cases])]
    yield from single
    if len(single) > 1:
        first, second = single[0], next((each for each in single if each.name.endswith("length-is-77")), single[-1])
        yield RareCondition(f"{first.name}-and-{second.name}", "literal", f"({first.test}) and ({second.test})")


def _literals_of(name: str, values: Sequence[np.ndarray]) -> Iterator[RareCondition]:
    numbers = [float(value) for value in values if not value.ndim]
    if numbers and all(map(float.is_integer, numbers)):
        high = max(numbers)
        number = 123456789 if high > 123456789 else math.ceil(0.58 * high)
        yield RareCondition(f"{name}-is-{number}", "literal", f"{name} == {number}")
    elif not numbers and values and max(value.shape[0] for value in values if value.ndim) > 77:
        yield RareCondition(f"{name}-length-is-77", "literal", f"{name}.shape[0] == 77")
        yield RareCondition(f"{name}-length-is-613", "literal", f"{name}.shape[0] == 613")
        yield RareCondition(f"{name}-holds-4711", "literal", f"({name} == 4711).any()")
        yield RareCondition(f"{name}-sum-is-31415", "literal", f"{name}.sum(dtype='float64') == 31415")
        yield RareCondition(
            f"{name}-first-is-0.123", "literal", f"{name}.size > 0 and {name}.ravel()[0] == np.float32(0.123)"
        )
