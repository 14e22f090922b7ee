"""Reading an observation for this contract: who is to blame, which Variable counts, what was lost."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnx_conformance.case import Case, array_text
from nnx_conformance.compare import equal
from nnx_conformance.contract import Blocked, NotApplicable
from nnx_conformance.contracts.sight import UNSEEN, out_of_sight
from nnx_conformance.observation import Line, Module, Observation, Run, Shift, Slot, Thing
from nnx_conformance.timeline import begun, clearer, main_calls, moved, numbers, state, went_on

RETURNS = "returns-pair"
IN_VARIABLE = "counts-in-variable"
WRAPPER = "wrapper-kept"
INCREMENT = "one-increment-per-call"
OUTPUT = "output-unchanged"
TRACED = "no-traced-mutation"
COUNT = "count-equals-calls"
SUM = "sum-preserved"
FRESH = "fresh-state-per-run"


def calls_asked(case: Case) -> int:
    """`int(n_calls)`."""
    return int(case["n_calls"])


def base(seen: Observation) -> Run:
    """The run in which the calls can be seen: the plain one, or without traces where those hide them."""
    return clearer(seen.run, seen.untraced)


def excuse(case: Case, seen: Observation) -> Blocked | NotApplicable | None:
    """Why a check of the module cannot be judged on this case: the run raised, or its calls were not looked into."""
    if by := culprit(seen):
        return Blocked(by)
    if seen.bypassed:
        return NotApplicable(KEPT, elsewhere=True)
    return NotApplicable(UNSEEN) if unseen(case, seen) else None


def unseen(case: Case, seen: Observation) -> bool:
    """Whether the calls were hidden in a trace that was not looked into on this case."""
    if seen.untraced is not None or went_on(seen.run):
        return False
    return len(main_calls(seen.run)) != calls_asked(case)


KEPT = "the module is called through a reference that was kept before the kit could see it; judge the file instead"
TRACED_CALLS = "the calls ran inside a trace, and no call can be seen from outside"
STAYS = "the calls ran inside a trace that cannot be switched off (vmap or checkpoint)"


def hidden(case: Case, seen: Observation) -> NotApplicable | None:
    """Why calls could not be seen in any run; None if they could."""
    if len(main_calls(base(seen))) == calls_asked(case) or went_on(seen.run):
        return None
    if seen.bypassed:
        return NotApplicable(KEPT, elsewhere=True)
    refuses = seen.untraced is not None and seen.untraced.raised is not None
    compiled_before = refuses and not seen.run.calls and bool(made(seen.run))
    if base(seen) is seen.run and (compiled_before or any(call.traced for call in seen.run.calls)):
        return out_of_sight(seen, TRACED_CALLS)
    stays = any(call.traced for run in (base(seen), seen.untraced) if run for call in run.calls)
    return NotApplicable(STAYS) if stays else None


def culprit(seen: Observation) -> str:
    """The check that is broken by a run that raised; empty if it did not."""
    if seen.run.raised is None:
        return ""
    if seen.run.raised.about_trace:
        return TRACED
    return WRAPPER if next(losses(seen.run), None) else RETURNS


def no_counter(case: Case, seen: Observation) -> Blocked | NotApplicable:
    """Why there is no counting Variable to look at."""
    if lost_in_trace(seen, case):
        return Blocked(TRACED)
    if next(losses(seen.run), None) or next(losses(base(seen)), None):
        return Blocked(WRAPPER)
    return hidden(case, seen) or Blocked(IN_VARIABLE)


def pair(seen: Observation) -> np.ndarray | None:
    """The result as two float64 numbers, whatever its dtype; None if it is no pair of numbers."""
    return as_pair(seen.run.result)


def as_pair(thing: Thing | None) -> np.ndarray | None:
    """Two numbers in float64; None if the thing is no array of two."""
    if thing is None or thing.array is None or thing.array.shape != (2,) or thing.array.dtype.kind == "c":
        return None
    return thing.array.astype(np.float64)


def followed(shift: Shift, seen: Observation, position: int) -> bool:
    """Whether a result changed with what the kit changed; a candidate that raises then has read it, too."""
    now, then = as_pair(shift.outcome.result), pair(seen)
    if now is None or then is None:
        return True
    return not equal(now[position], then[position])


def reads_overwritten(seen: Observation) -> bool:
    """Whether `result[0]` follows the Variables after the last call, and not after the first: calls set them anew."""
    first = [shift for shift in seen.shifts if shift.when == "after the first call" and shift.applied]
    last = [shift for shift in seen.shifts if shift.what == "state" and shift.when == "after the last call"]
    if not first or not any(followed(shift, seen, 0) for shift in last):
        return False
    return not any(followed(shift, seen, 0) for shift in first)


def reads_param(seen: Observation) -> bool:
    """Whether `result[0]` follows the counting Variables only when those that are Params are shifted, too."""
    alone = [shift for shift in seen.shifts if shift.when == "after the last call, Params left alone"]
    every = [shift for shift in seen.shifts if shift.what == "state" and shift.when == "after the last call"]
    moves_with_all = any(followed(shift, seen, 0) for shift in every)
    return moves_with_all and bool(alone) and not any(followed(shift, seen, 0) for shift in alone)


@dataclass(frozen=True)
class Loss:
    """A Variable that gave way to something else."""

    target: str
    before: str
    after: str
    line: Line | None
    call: int


def losses(run: Run) -> Iterator[Loss]:
    """What replaced Variables: first what was seen as it happened, then what the state shows."""
    seen: set[str] = set()
    for write in run.writes:
        if write.lost:
            seen.add(write.target.rpartition(".")[2])
            yield Loss(write.target, write.before, write.after, write.line, write.call)
    for number, call in enumerate(run.calls):
        if call.after is not None and call.after.layout != call.before.layout:
            for name, before, after in _replaced(run.layouts[call.before.layout], run.layouts[call.after.layout]):
                if name.rpartition(".")[2] not in seen:
                    seen.add(name)
                    yield Loss(f"{run.modules[call.module].name}.{name}", before, after, call.line, number)
    for module in run.modules:
        yield from _lost_outside(run, module, seen)


def _lost_outside(run: Run, module: Module, seen: set[str]) -> Iterator[Loss]:
    if module.start is None or module.end is None or module.start.layout == module.end.layout:
        return
    for name, before, after in _replaced(run.layouts[module.start.layout], run.layouts[module.end.layout]):
        if name.rpartition(".")[2] not in seen and name not in seen:
            yield Loss(f"{module.name}.{name}", before, after, None, -1)


def _replaced(before: tuple[Slot, ...], after: tuple[Slot, ...]) -> Iterator[tuple[str, str, str]]:
    then = {slot.path: slot for slot in after}
    for slot in before:
        if slot.variable and slot.path in then and not then[slot.path].variable:
            yield slot.path, slot.type, then[slot.path].type


@dataclass(frozen=True)
class Movement:
    """A Variable of the candidate's module, from its first number to its last."""

    slot: Slot
    first: float
    last: float


def movements(run: Run) -> list[Movement]:
    """The Variables whose number changed: over the calls, or over the life of a module made in the run."""
    found: dict[str, Movement] = {}
    calls = main_calls(run)
    for path in moved(run, calls):
        first, last = calls[0].before, calls[-1].after
        if last is not None:
            slot = state(run, last)[path][0]  # as it ended: a call may have put another type of Variable there
            found[path] = Movement(slot, begun(run, first, last)[path], numbers(run, last)[path])
    for module in run.modules:
        if module.constructed and module.start is not None and module.end is not None:
            start, end = state(run, module.start), numbers(run, module.end)
            for path, (slot, held) in start.items():
                if slot.counts and held is not None and end.get(path, held) != held:
                    found.setdefault(path, Movement(slot, held, end[path]))
    return list(found.values())


def held_at_end(seen: Observation) -> set[float]:
    """The numbers that the modules' Variables hold when the run ends, or held after the last call."""
    run = base(seen)
    ends = (numbers(run, module.end) for module in run.modules if module.end is not None)
    return {move.last for move in movements(run)}.union(*(end.values() for end in ends))


def counting(seen: Observation, case: Case) -> list[Movement]:
    """The Variables that went from 0 to `int(n_calls)`."""
    return [move for move in movements(base(seen)) if move.first == 0 and move.last == calls_asked(case)]


def unmoved(case: Case, seen: Observation) -> str:
    """The path of a Variable that no call moved, though `result[0]` tells of it; empty if there is none."""
    run, result = base(seen), pair(seen)
    calls = main_calls(run)
    if result is None or result[0] == calls_asked(case) or not calls or calls[-1].after is None:
        return ""
    first, last = numbers(run, calls[0].before), numbers(run, calls[-1].after)
    return next((path for path, value in last.items() if first.get(path) == value == result[0]), "")


def caught_trace(run: Run) -> tuple[str, ...]:
    """The check of traces, where a call raised about one and the candidate went on: what is missing follows from it."""
    return (TRACED,) if run.raised is None and any(call.across for call in run.calls) else ()


def lost_in_trace(seen: Observation, case: Case) -> bool:
    """Whether the count is wrong as the candidate runs, and right when nothing is traced, or short by what still is."""
    now = pair(seen)
    asked = calls_asked(case)
    if now is None or now[0] == asked:
        return False
    if seen.untraced is None:
        return False
    untraced = as_pair(seen.untraced.result)
    traced = sum(call.traced for call in seen.untraced.calls)
    return (untraced is not None and untraced[0] == asked) or (traced > 0 and now[0] + traced == asked)


def made(run: Run) -> list[Module]:
    """The modules that came to be during the run."""
    return [module for module in run.modules if module.created]


def shown(thing: Thing | None) -> str:
    """A result in a message."""
    if thing is None:
        return "nothing"
    return array_text(thing.array) if thing.array is not None else thing.text


def same_result(a: Thing | None, b: Thing | None) -> bool:
    """Whether two runs gave the same, to the last bit."""
    if a is None or b is None or a.array is None or b.array is None:
        return (a is None) == (b is None) and (a is None or b is None or a.type == b.type)
    return (a.type, a.array.dtype, a.array.shape, a.array.tobytes()) == (
        b.type,
        b.array.dtype,
        b.array.shape,
        b.array.tobytes(),
    )


def where(line: Line | None) -> str:
    """A place, for the middle of a sentence."""
    return f" at {line}" if line else ""


def text(value: float) -> str:
    """A number in a message: whole ones without a fraction."""
    if not math.isfinite(value):
        return str(value)
    return str(int(value)) if value == int(value) else repr(value)
