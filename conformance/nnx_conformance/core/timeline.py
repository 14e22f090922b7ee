"""Reading a run: the calls of the main module, the Variables they changed, and their values call by call."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nnx_conformance.core.facts import Call, Run, Slot, Snapshot


@dataclass(frozen=True)
class Point:
    """The count after a call, expected and observed; call 0 is the state before the first call.

    Attributes:
        expected, observed: finite numbers; None if none was expected, or none observed.
        holder: the type of the object that held the number, such as `nnx.Variable`; empty if none was observed.
        kept: whether a Variable still held it.
    """

    call: int
    expected: float | None
    observed: float | None
    holder: str
    kept: bool

    @property
    def departs(self) -> bool:
        """Whether the point is not as expected."""
        return self.expected != self.observed or not self.kept


@dataclass(frozen=True)
class StateChange:
    """How a step changed one part of the state, in the subject and in its twin, as text: `0.0 → 1.0`.

    Attributes:
        agrees: whether both are equal after the step.
    """

    path: str
    subject: str
    twin: str
    agrees: bool


@dataclass(frozen=True)
class TimelineStep:
    """One step of a program: its number from 1, its operation, and its changes."""

    number: int
    operation: str
    changes: tuple[StateChange, ...]


@dataclass(frozen=True)
class Timeline:
    """The state of one case, call by call or step by step, for a picture.

    Attributes:
        name: the attribute shown, such as `Counter.count`.
        points: the state call by call; a selection if there are many calls.
        steps: the steps of a program, in place of points; the last ones if there are many.
    """

    name: str
    points: tuple[Point, ...]
    steps: tuple[TimelineStep, ...] = ()

    @property
    def departs(self) -> Point | None:
        """The first point that is not as expected."""
        return next((point for point in self.points if point.departs), None)


#: A picture of more than `SHOWN` points shows both ends, `NEAR` points around the first departure, and some between.
SHOWN, NEAR = 33, 5


def thinned(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """The points that a picture has room for."""
    if len(points) <= SHOWN:
        return points
    departing = next((position for position, point in enumerate(points) if point.departs), 0)
    step = len(points) // (SHOWN - 2 * NEAR) + 1
    kept = {*range(0, len(points), step), len(points) - 1, *range(departing - NEAR, departing + NEAR + 1)}
    return tuple(point for position, point in enumerate(points) if position in kept)


def state(run: Run, snapshot: Snapshot) -> dict[str, tuple[Slot, float | None]]:
    """A snapshot by path: each slot, and the number in it; None for a slot without a single number."""
    slots = run.layouts[snapshot.layout]
    return {slot.path: (slot, number) for slot, number in zip(slots, snapshot.numbers, strict=True)}


def numbers(run: Run, snapshot: Snapshot) -> dict[str, float]:
    """The numbers in a module's own Variables, by path."""
    return {path: number for path, (slot, number) in state(run, snapshot).items() if slot.counts and number is not None}


def begun(run: Run, before: Snapshot, after: Snapshot | None) -> dict[str, float]:
    """The numbers in a module's own Variables before a change, by path; 0 for a Variable that the change created."""
    first = numbers(run, before)
    if after is None or after.layout == before.layout:
        return first
    slots = state(run, before)
    return {path: 0.0 for path in numbers(run, after) if path not in slots} | first


def groups(run: Run) -> list[list[Call]]:
    """The concrete calls, grouped by module.

    A module built by merge or clone joins the group of another of its class that ended with the state it starts with.
    So does a constructed module whose state a compiled call has changed before its first concrete call.
    """
    grouped: list[list[Call]] = []
    by_module: dict[int, int] = {}
    ends: dict[_Content, set[int]] = {}  # groups by their end state: searching all groups for each call is too slow
    continues = any(not run.modules[call.module].constructed for call in run.calls)
    for call in run.calls:
        if call.traced:
            continue
        if call.module not in by_module:
            by_module[call.module] = _continued(run, call, ends, len(grouped))
        position = by_module[call.module]
        if position == len(grouped):
            grouped.append([])
        elif continues and (last := grouped[position][-1]).after is not None:
            ends[_content(run, last, last.after)].discard(position)
        grouped[position].append(call)
        if continues and call.after is not None:
            ends.setdefault(_content(run, call, call.after), set()).add(position)
    return grouped


#: The class of a module, and the numbers in its Variables by path.
_Content = tuple[str, frozenset[tuple[str, float]]]


def _content(run: Run, call: Call, snapshot: Snapshot) -> _Content:
    return run.modules[call.module].name, frozenset(numbers(run, snapshot).items())


def _continued(run: Run, call: Call, ends: dict[_Content, set[int]], new: int) -> int:
    """The last group that ended with the state this call begins with; `new` if there is none."""
    start, begins = run.modules[call.module].start, _content(run, call, call.before)
    if run.modules[call.module].constructed and (start is None or _content(run, call, start) == begins):
        return new
    return max(ends.get(begins, ()), default=new)


@functools.lru_cache(maxsize=8)  # every check of a case needs them
def main_calls(run: Run) -> tuple[Call, ...]:
    """The calls of the module that the checks judge, if the candidate calls several.

    That is a module whose Variables move; among these one called as often as the case asks; then the one called most;
    then the last, because candidates try things out first.
    """
    grouped = groups(run)
    if len(grouped) < 2:
        return tuple(grouped[0]) if grouped else ()
    rank = {id(calls): (bool(moved(run, calls)), len(calls) == run.requested_calls, len(calls)) for calls in grouped}
    return tuple(max(reversed(grouped), key=lambda calls: rank[id(calls)]))


def went_on(run: Run) -> bool:
    """Whether a call raised, and the candidate returned a result all the same."""
    return run.raised is None and any(call.after is None for call in run.calls)


def clearer(run: Run, *others: Run | None) -> Run:
    """The run that shows most of the calls: the plain run, unless traces hide calls in it.

    If a call raised and the candidate returned all the same, its fallback ran, which no other run can stand for.
    """
    comparable = [] if went_on(run) else [other for other in others if other and not other.raised]
    return max([run, *comparable], key=lambda each: (len(main_calls(each)), speaks_for(each, run)))


def speaks_for(other: Run, run: Run) -> bool:
    """Whether a further run returned the same first number as the plain run.

    It may not: without compilation, states can share Variables, so that a write changes a state passed on earlier.
    """
    if other.result is None or run.result is None or other.result.array is None or run.result.array is None:
        return True
    return other.result.array.ravel()[:1].tobytes() == run.result.array.ravel()[:1].tobytes()


def ends_otherwise(run: Run, other: Run | None) -> bool:
    """Whether a module constructed outside of traces keeps its first state in this run, but not in the other.

    This happens if the candidate passes it to a plain transform, which changes a copy.
    """
    if other is None or run.raised or other.raised:
        return False
    pairs = zip(run.modules, other.modules, strict=False)
    return any(
        module.constructed
        and twin.constructed
        and module.start is not None
        and module.end is not None
        and twin.end is not None
        and module.line == twin.line
        and numbers(run, module.start) == numbers(run, module.end)
        and numbers(run, module.end) != numbers(other, twin.end)
        for module, twin in pairs
    )


def starts_over(run: Run) -> bool:
    """Whether calls begin with the state that an earlier call began with: what calls write is dropped each time."""
    firsts = [calls[0] for calls in groups(run) if not run.modules[calls[0].module].constructed]
    starts = [_content(run, call, call.before) for call in firsts]
    moving = any(moved(run, [call]) for call in firsts)
    return moving and len(firsts) > 1 and len(set(starts)) < len(starts)


def unread(run: Run) -> bool:
    """Whether calls ran inside a trace, and their state cannot be read."""
    return any(call.traced and _unread(run, call.before) for call in run.calls)


def _unread(run: Run, snapshot: Snapshot) -> bool:
    slots = run.layouts[snapshot.layout]
    own = [position for position in snapshot.traced if slots[position].counts]
    return not snapshot.arrays or any(snapshot.arrays[position] < 0 for position in own)


def moved(run: Run, calls: Sequence[Call]) -> list[str]:
    """The paths of the Variables whose numbers differ before the first and after the last of these calls."""
    finished = [call for call in calls if call.after is not None]
    if not finished or finished[-1].after is None:
        return []
    before, after = begun(run, finished[0].before, finished[-1].after), numbers(run, finished[-1].after)
    return [path for path in before if path in after and before[path] != after[path]]


def series(run: Run, calls: Sequence[Call], path: str) -> Iterator[tuple[float | None, float | None]]:
    """The number in the Variable at `path` before and after each call."""
    for call in calls:
        after = numbers(run, call.after).get(path) if call.after else None
        yield begun(run, call.before, call.after).get(path), after
