"""Reading a run: whose calls count, which Variables moved, and what they held call by call. Pure functions of facts."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nnx_conformance.core.facts import Call, Run, Slot, Snapshot


@dataclass(frozen=True)
class Point:
    """What was counted after a call, and what should have been; call 0 is before the first one.

    Attributes:
        expected, observed: finite numbers; None where none was expected, or none observed.
        holder: the type of what held the number, `nnx.Variable`; empty where nothing was observed.
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
class StateChange:
    """What a step did to one part of the state, in the subject and in its twin, as text: `0.0 → 1.0`.

    Attributes:
        agrees: whether both are the same after the step.
    """

    path: str
    subject: str
    twin: str
    agrees: bool


@dataclass(frozen=True)
class TimelineStep:
    """One step of a program, by its number from 1 and its operation, with what it changed."""

    number: int
    operation: str
    changes: tuple[StateChange, ...]


@dataclass(frozen=True)
class Timeline:
    """The state of one case, call by call or step by step, for a picture of it.

    Attributes:
        name: what counts, `Counter.count`.
        points: in the order of the calls; of many calls, only some.
        steps: those of a program, in place of points; of many, the last.
    """

    name: str
    points: tuple[Point, ...]
    steps: tuple[TimelineStep, ...] = ()

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
    return {slot.path: (slot, number) for slot, number in zip(slots, snapshot.numbers, strict=True)}


def numbers(run: Run, snapshot: Snapshot) -> dict[str, float]:
    """The numbers in a module's own Variables, by path."""
    return {path: number for path, (slot, number) in state(run, snapshot).items() if slot.counts and number is not None}


def begun(run: Run, before: Snapshot, after: Snapshot | None) -> dict[str, float]:
    """The numbers in a module's own Variables before something, by path; 0 for one that came to be in it."""
    began = numbers(run, before)
    if after is None or after.layout == before.layout:
        return began
    slots = state(run, before)
    return {path: 0.0 for path in numbers(run, after) if path not in slots} | began


def groups(run: Run) -> list[list[Call]]:
    """The concrete calls, those of one module together.

    A module built by merge or clone goes on where another of its class ended, if it has the state that this one had. So
    does one that a compiled call has changed since it was made, when it is then called itself.
    """
    grouped: list[list[Call]] = []
    by_module: dict[int, int] = {}
    ends: dict[_Content, set[int]] = {}  # by where they stand: to look through many groups for each call takes too long
    goes_on = any(not run.modules[call.module].constructed for call in run.calls)
    for call in run.calls:
        if call.traced:
            continue
        if call.module not in by_module:
            by_module[call.module] = _continued(run, call, ends, len(grouped))
        at = by_module[call.module]
        if at == len(grouped):
            grouped.append([])
        elif goes_on and (last := grouped[at][-1]).after is not None:
            ends[_content(run, last, last.after)].discard(at)
        grouped[at].append(call)
        if goes_on and call.after is not None:
            ends.setdefault(_content(run, call, call.after), set()).add(at)
    return grouped


#: The class of a module, and what its Variables hold.
_Content = tuple[str, frozenset[tuple[str, float]]]


def _content(run: Run, call: Call, snapshot: Snapshot) -> _Content:
    return run.modules[call.module].name, frozenset(numbers(run, snapshot).items())


def _continued(run: Run, call: Call, ends: dict[_Content, set[int]], new: int) -> int:
    """The last group that stands where this call begins; a new one if there is none."""
    start, begins = run.modules[call.module].start, _content(run, call, call.before)
    if run.modules[call.module].constructed and (start is None or _content(run, call, start) == begins):
        return new
    return max(ends.get(begins, ()), default=new)


@functools.lru_cache(maxsize=8)  # every check of a case asks for them
def main_calls(run: Run) -> tuple[Call, ...]:
    """The calls of the module that the candidate is about, where it calls several.

    One whose Variables move, rather than another; then one called as often as asked; then the one called most; then
    the last, for what is tried out comes first.
    """
    grouped = groups(run)
    if len(grouped) < 2:
        return tuple(grouped[0]) if grouped else ()
    rank = {id(calls): (bool(moved(run, calls)), len(calls) == run.asked, len(calls)) for calls in grouped}
    return tuple(max(reversed(grouped), key=lambda calls: rank[id(calls)]))


def went_on(run: Run) -> bool:
    """Whether a call raised, and the candidate returned a result all the same."""
    return run.raised is None and any(call.after is None for call in run.calls)


def clearer(run: Run, *others: Run | None) -> Run:
    """The run that shows more of the calls: the plain one, unless traces hide them there.

    Where a call raised and the candidate went on, the plain run took a way of its own, and nothing else speaks for it.
    """
    speaking = [] if went_on(run) else [other for other in others if other and not other.raised]
    return max([run, *speaking], key=lambda each: (len(main_calls(each)), speaks_for(each, run)))


def speaks_for(other: Run, run: Run) -> bool:
    """Whether a further run came to the same first number as the run as it is.

    Without compilation, states may share Variables, and what is handed on is then changed as well.
    """
    if other.result is None or run.result is None or other.result.array is None or run.result.array is None:
        return True
    return other.result.array.ravel()[:1].tobytes() == run.result.array.ravel()[:1].tobytes()


def ends_otherwise(run: Run, other: Run | None) -> bool:
    """Whether a module that a run makes outside of any trace ends as it was made there, and not in the other run.

    So ends one that a plain transform was given, as it works on a copy: the copy's state is dropped, or handed on.
    """
    if other is None or run.raised or other.raised:
        return False
    pairs = [pair for pair in zip(run.modules, other.modules, strict=False) if all(made.constructed for made in pair)]
    return any(
        made.start is not None
        and made.end is not None
        and again.end is not None
        and made.line == again.line
        and numbers(run, made.start) == numbers(run, made.end)
        and numbers(run, made.end) != numbers(other, again.end)
        for made, again in pairs
    )


def starts_over(run: Run) -> bool:
    """Whether calls begin where an earlier one began, and not where any ended: what they write is dropped each time."""
    first = [calls[0] for calls in groups(run) if not run.modules[calls[0].module].constructed]
    begun_at = [_content(run, call, call.before) for call in first]
    moving = any(moved(run, [call]) for call in first)
    return moving and len(first) > 1 and len(set(begun_at)) < len(begun_at)


def unread(run: Run) -> bool:
    """Whether calls ran inside a trace, and what their state held cannot be read."""
    return any(call.traced and _unread(run, call.before) for call in run.calls)


def _unread(run: Run, snapshot: Snapshot) -> bool:
    slots = run.layouts[snapshot.layout]
    own = [at for at in snapshot.traced if slots[at].counts]
    return not snapshot.arrays or any(snapshot.arrays[at] < 0 for at in own)


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
