"""The geometry of a picture of a timeline: the count after each call, expected against observed. Plain numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

from nnx_conformance.core.timeline import Point, Timeline

#: In pixels. A phone shows it unscaled, so that its text stays readable.
WIDEST, STEP, HEIGHT = 248, 56, 104
LEFT, TOP, RIGHT, BOTTOM = 36, 10, 12, 26
#: How many numbers an axis has at most.
TICKS = 5
#: Larger numbers are drawn as this one.
LARGEST = 1e300
#: Dots of so many points are large.
FEW = 12


@dataclass(frozen=True)
class Dot:
    """A point in the picture; `wrong` if it is not as expected, `hollow` if the wrong thing holds it."""

    x: float
    y: float
    wrong: bool
    hollow: bool


@dataclass(frozen=True)
class Tick:
    """A number on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Picture:
    """A timeline, laid out.

    Attributes:
        width, height: of the whole.
        radius: of the dots.
        expected, observed: where the lines go, as `x,y` pairs; several where nothing was observed in between.
        dots: the observed points.
        missing: where an expected point was not observed.
        columns, rows: the numbers along the axes.
        text: the same in words, for who cannot see it.
    """

    width: float
    height: float
    radius: float
    expected: str
    observed: str
    dots: tuple[Dot, ...]
    missing: tuple[Dot, ...]
    columns: tuple[Tick, ...]
    rows: tuple[Tick, ...]
    text: str


def picture(timeline: Timeline) -> Picture:
    """Lay a timeline out."""
    points = timeline.points
    last = max(points[-1].call, 1)
    width = min(WIDEST, STEP * last)
    low, high = _range(points)

    def x(call: float) -> float:
        return round(LEFT + width * call / last, 1)

    def y(number: float) -> float:
        return round(TOP + HEIGHT * ((high - _within(number)) / (high - low)), 1)

    expected = [(x(point.call), y(point.expected)) for point in points if point.expected is not None]
    observed = [(x(point.call), y(point.observed), point) for point in points if point.observed is not None]
    gone = [point for point in points if point.observed is None and point.expected is not None]
    return Picture(
        width=LEFT + width + RIGHT,
        height=TOP + HEIGHT + BOTTOM,
        radius=4 if len(points) <= FEW else 2.5,
        expected=_path(expected),
        observed=_path([(left, top) for left, top, _ in observed]),
        dots=tuple(Dot(left, top, point.departs, not point.kept) for left, top, point in observed),
        missing=tuple(Dot(x(point.call), y(point.expected or 0), True, True) for point in gone),
        columns=tuple(Tick(x(call), str(call)) for call in _ticks(0, last)),
        rows=tuple(Tick(y(number), _short(number)) for number in _ticks(low, high)),
        text="; ".join(map(described, points)),
    )


def described(point: Point) -> str:
    """A point in words."""
    when = f"after call {point.call}" if point.call else "before the first call"
    wanted = "nothing" if point.expected is None else _short(point.expected)
    if point.observed is None:
        return f"{when}: {wanted} expected, nothing observed"
    holder = "" if point.kept else f", held by {point.holder or 'nothing'}"
    return f"{when}: {wanted} expected, {_short(point.observed)} observed{holder}"


def _range(points: Iterable[Point]) -> tuple[float, float]:
    numbers = [_within(number) for point in points for number in (point.expected, point.observed) if number is not None]
    low, high = min([0.0, *numbers]), max([0.0, *numbers])
    return low, high if high - low > 0 else low + 1


def _within(number: float) -> float:
    """A number within the range in which differences are finite."""
    return max(-LARGEST, min(LARGEST, number))


def _path(corners: list[tuple[float, float]]) -> str:
    return " ".join(f"{left},{top}" for left, top in corners)


def _ticks(low: float, high: float) -> list[int]:
    """A few round numbers within the range, 1, 2 or 5 times a power of ten apart."""
    steps = (digit * 10**power for power in itertools.count() for digit in (1, 2, 5))
    step = next(step for step in steps if (high - low) / step < TICKS)
    return [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _short(number: float) -> str:
    return str(int(number)) if number == int(number) and abs(number) < 10**6 else f"{number:.4g}"
