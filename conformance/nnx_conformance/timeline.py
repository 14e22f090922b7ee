"""Reading a run: whose calls count, which Variables moved, and what they held call by call. Pure functions of facts."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nnx_conformance.observation import Call, Run, Slot, Snapshot


@dataclass(frozen=True)
class Point:
    """What was counted after a call, and what should have been; call 0 is before the first one.

    Attributes:
        expected, observed: finite numbers; None where none was expected, or none was seen.
        holder: the type of what held the number, `nnx.Variable`; empty where nothing was seen.
        kept: whether it was held by what must hold it.
    """

    call: int
    expected: float | None
    observed: float | None
    holder: str
    kept: bool

    @property
    def departs(self) -> bool:
        """Whether this is not what was expected."""
        return self.expected != self.observed or not self.kept


@dataclass(frozen=True)
class Timeline:
    """The state of one case, call by call, for a picture of it.

    Attributes:
        name: what counts, `Counter.count`.
        points: in the order of the calls; of many calls, only some.
    """

    name: str
    points: tuple[Point, ...]

    @property
    def departs(self) -> Point | None:
        """The first point that is not as expected."""
        return next((point for point in self.points if point.departs), None)


#: A timeline of more points shows its ends, those around the first that departs, and some between.
SHOWN, NEAR = 33, 5


def thinned(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """The points that a picture has room for."""
    if len(points) <= SHOWN:
        return points
    departing = next((at for at, point in enumerate(points) if point.departs), 0)
    step = len(points) // (SHOWN - 2 * NEAR) + 1
    kept = {*range(0, len(points), step), len(points) - 1, *range(departing - NEAR, departing + NEAR + 1)}
    return tuple(point for at, point in enumerate(points) if at in kept)


def state(run: Run, snapshot: Snapshot) -> dict[str, tuple[Slot, float | None]]:
    """A snapshot by path: what sits there, and the number it holds if it holds one."""
    slots = run.layouts[snapshot.layout]
    return {slot.path: (slot, held) for slot, held in zip(slots, snapshot.numbers, strict=True)}


def numbers(run: Run, snapshot: Snapshot) -> dict[str, float]:
    """The numbers in a module's own Variables, by path."""
    return {path: held for path, (slot, held) in state(run, snapshot).items() if slot.counts and held is not None}


def begun(run: Run, before: Snapshot, after: Snapshot | None) -> dict[str, float]:
    """The numbers in a module's own Variables before something, by path; 0 for one that came to be in it."""
    found = numbers(run, before)
    if after is None or after.layout == before.layout:
        return found
    there = state(run, before)
    return {path: 0.0 for path in numbers(run, after) if path not in there} | found


def groups(run: Run) -> list[list[Call]]:
    """The concrete calls, those of one module together.

    A module built by merge or clone goes on where another of its class ended, if it has the state that this one had.
    """
    found: list[list[Call]] = []
    by_module: dict[int, int] = {}
    ends: dict[_Stand, set[int]] = {}  # by where they stand: to look through many groups for each call takes too long
    goes_on = any(not run.modules[call.module].constructed for call in run.calls)
    for call in run.calls:
        if call.traced:
            continue
        if call.module not in by_module:
            by_module[call.module] = _continued(run, call, ends, len(found))
        at = by_module[call.module]
        if at == len(found):
            found.append([])
        elif goes_on and (last := found[at][-1]).after is not None:
            ends[_stand(run, last, last.after)].discard(at)
        found[at].append(call)
        if goes_on and call.after is not None:
            ends.setdefault(_stand(run, call, call.after), set()).add(at)
    return found


#: The class of a module, and what its Variables hold.
_Stand = tuple[str, frozenset[tuple[str, float]]]


def _stand(run: Run, call: Call, snapshot: Snapshot) -> _Stand:
    return run.modules[call.module].name, frozenset(numbers(run, snapshot).items())


def _continued(run: Run, call: Call, ends: dict[_Stand, set[int]], new: int) -> int:
    """The last group that stands where this call begins; a new one if there is none."""
    if run.modules[call.module].constructed:
        return new
    return max(ends.get(_stand(run, call, call.before), ()), default=new)


@functools.lru_cache(maxsize=8)  # every check of a case asks for them
def main_calls(run: Run) -> tuple[Call, ...]:
    """The calls of the module that the candidate is about, where it calls several.

    One whose Variables move, rather than another; then one called as often as asked; then the one called most; then
    the last, for what is tried out comes first.
    """
    found = groups(run)
    if len(found) < 2:
        return tuple(found[0]) if found else ()
    rank = {id(calls): (bool(moved(run, calls)), len(calls) == run.asked, len(calls)) for calls in found}
    return tuple(max(reversed(found), key=lambda calls: rank[id(calls)]))


def went_on(run: Run) -> bool:
    """Whether a call raised, and the candidate returned a result all the same."""
    return run.raised is None and any(call.after is None for call in run.calls)


def clearer(run: Run, untraced: Run | None) -> Run:
    """The run in which more of the calls can be seen: the plain one, unless traces hide them there.

    Where a call raised and the candidate went on, the plain run took a way of its own, and nothing else speaks for it.
    """
    if untraced is None or untraced.raised or went_on(run) or len(main_calls(untraced)) <= len(main_calls(run)):
        return run
    return untraced


def moved(run: Run, calls: Sequence[Call]) -> list[str]:
    """The Variables whose number is another after the last of these calls than before the first, by path."""
    ended = [call for call in calls if call.after is not None]
    if not ended or ended[-1].after is None:
        return []
    before, after = begun(run, ended[0].before, ended[-1].after), numbers(run, ended[-1].after)
    return [path for path in before if path in after and before[path] != after[path]]


def series(run: Run, calls: Sequence[Call], path: str) -> Iterator[tuple[float | None, float | None]]:
    """What the Variable at `path` held before and after each call."""
    for call in calls:
        after = numbers(run, call.after).get(path) if call.after else None
        yield begun(run, call.before, call.after).get(path), after
