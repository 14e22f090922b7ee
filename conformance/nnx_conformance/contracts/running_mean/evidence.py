"""Reading an observation for this contract: which state is the mean, what it was step by step, and who is to blame."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnx_conformance.case import Case
from nnx_conformance.contract import Blocked, NotApplicable
from nnx_conformance.contracts.mutability.evidence import losses
from nnx_conformance.contracts.running_mean.oracle import Means, running
from nnx_conformance.contracts.sight import out_of_sight
from nnx_conformance.observation import Call, Module, Observation, Run, Slot, Snapshot
from nnx_conformance.timeline import clearer, main_calls

RETURNS = "returns-mean"
FORMULA = "mean-follows-formula"
IN_STATE = "mean-in-state"
NOT_PARAM = "statistic-not-param"
ZEROS = "starts-from-zeros"
THREADED = "state-threaded"
UPDATE = "one-update-per-step"
FLOAT32 = "accumulates-in-float32"
WRAPPER = "wrapper-kept"
FRESH = "fresh-state-per-run"

NAMES = {"nnx": "Flax NNX", "linen": "Flax Linen", "torch": "PyTorch"}
#: A path with a number in it: what is before the last one, the number, what is behind it.
NUMBERED = re.compile(r"(.*?)(\d+)(\D*)")
#: An array of two dimensions may hold so many statistics in its rows or columns: a mean and a variance, say.
FEW = 4
NO_CALL = "no call of the module was seen: it was used by another method, or bound"
HIDDEN = "the calls ran inside a trace and cannot be seen from outside"


def steps_asked(case: Case) -> int:
    """How many steps a case has."""
    return int(case["batches"].shape[0])


def wanted(case: Case) -> Means:
    """The means that the case leads to."""
    return running(case["batches"], float(case["momentum"]))


def base(seen: Observation) -> Run:
    """The run in which more of the calls can be seen."""
    return clearer(seen.run, seen.untraced)


def culprit(seen: Observation) -> str:
    """The check that a run breaks that raised; empty if it did not."""
    if seen.run.raised is None:
        return ""
    return WRAPPER if next(losses(seen.run), None) else RETURNS


def result(case: Case, seen: Observation) -> np.ndarray | None:
    """The result in float64, shape `[features]`; None if it is no array of that shape."""
    return _as_mean(case, seen.run)


def _as_mean(case: Case, run: Run) -> np.ndarray | None:
    thing = run.result
    if thing is None or thing.array is None or thing.array.dtype.kind == "c":
        return None
    return thing.array.astype(np.float64) if thing.array.shape == case["batches"].shape[2:] else None


def near(got: np.ndarray, means: Means, step: int = -1) -> bool:
    """Whether numbers are those of a step, within its bound; NaN is near NaN."""
    expected, bound = means.values[step], means.bounds[step]
    if got.size != expected.size:
        return False
    numbers = got.astype(np.float64).ravel()
    return bool(np.all((np.abs(numbers - expected) <= bound) | (np.isnan(numbers) & np.isnan(expected))))


State = dict[str, tuple[Slot, np.ndarray]]


def state(run: Run, snapshot: Snapshot | None) -> State:
    """The arrays of a snapshot, by path."""
    if snapshot is None or not snapshot.held:
        return {}
    slots = zip(run.layouts[snapshot.layout], snapshot.held, strict=True)
    return {slot.path: (slot, run.arrays[at]) for slot, at in slots if at >= 0 and not slot.rng}


def parts(run: Run, snapshot: Snapshot | None) -> State:
    """The arrays of a snapshot by path, rows and columns of those that hold a few, and numbers that make a series."""
    found = state(run, snapshot)
    for path, (slot, array) in list(found.items()):
        for label, part in _lines(array):
            found[path + label] = replace(slot, path=path + label), part
    return found | in_series(found)


def in_series(found: State) -> State:
    """Single numbers whose paths differ in their last index, `means[0]` and `means[1]`, as one array, `means[*]`."""
    rows: dict[str, list[tuple[int, Slot, np.ndarray]]] = {}
    for path, (slot, array) in found.items():
        if array.size == 1 and (match := NUMBERED.fullmatch(path)):
            rows.setdefault(f"{match[1]}*{match[3]}", []).append((int(match[2]), slot, array))
    return {
        path: (replace(row[0][1], path=path), np.concatenate([one.ravel() for _, _, one in sorted(row, key=_index)]))
        for path, row in rows.items()
        if len(row) > 1
    }


def _index(member: tuple[int, Slot, np.ndarray]) -> int:
    return member[0]


def _lines(array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    if array.ndim != 2:
        return
    if 1 < array.shape[0] <= FEW:
        yield from ((f"[{at}]", row) for at, row in enumerate(array))
    if 1 < array.shape[1] <= FEW:
        yield from ((f"[:, {at}]", column) for at, column in enumerate(array.T))


def step_calls(run: Run) -> tuple[Call, ...]:
    """The calls of the module that the run is about; where each step makes it anew, those of all of its class.

    A Linen `apply` without `mutable=` beside one for each step only reads.
    """
    calls = main_calls(run)
    if not calls or len(calls) == run.asked:
        return calls
    writing = tuple(call for call in calls if call.mutable)
    if len(writing) == run.asked:
        return writing
    name = run.modules[calls[0].module].name
    alike = tuple(call for call in run.calls if not call.traced and run.modules[call.module].name == name)
    return alike if len(alike) == run.asked else calls


def framework(run: Run) -> str:
    """The framework of the module that the run is about; empty if it made none."""
    calls = main_calls(run)
    modules = [run.modules[calls[0].module]] if calls else list(run.modules)
    return modules[0].framework if modules else ""


def made(run: Run) -> list[Module]:
    """The modules that came to be during the run."""
    return [module for module in run.modules if module.created]


def ended(run: Run) -> State:
    """The state in which the module ended: after its last call, or when the candidate returned."""
    calls = step_calls(run)
    if calls:
        return parts(run, calls[-1].after)
    found: State = {}
    for module in run.modules:
        found.update(parts(run, module.end))
    return found


@dataclass(frozen=True, eq=False)
class Kept:
    """The state that stands for the mean, and the module's calls."""

    slot: Slot
    last: np.ndarray
    calls: Sequence[Call]


def kept(case: Case, seen: Observation) -> Kept | None:
    """The state that holds the mean, or what comes nearest to it; None if the module keeps no such array."""
    run, got, means = base(seen), result(case, seen), wanted(case)
    found = [(slot, array) for slot, array in ended(run).values() if array.size == case["batches"].shape[2]]
    calls = step_calls(run)
    first = parts(run, calls[0].before) if calls else {}

    def rank(item: tuple[Slot, np.ndarray]) -> tuple[bool, ...]:
        slot, array = item
        same = got is not None and np.array_equal(array.astype(np.float64).ravel(), got, equal_nan=True)
        moved = slot.path in first and not np.array_equal(first[slot.path][1], array)
        # A variance may by chance be what the mean is: so the way there counts, and then the name.
        along = len(calls) == steps_asked(case) and all(
            after is not None and near(after, means, step)
            for step, (_, after) in enumerate(series(run, calls, slot.path), start=1)
        )
        zeros = slot.path in first and not np.any(first[slot.path][1])
        return same, near(array, means), along, zeros, "mean" in slot.path, moved, slot.variable, not slot.param

    best = max(found, key=rank, default=None)
    if best is None:
        return None
    same, close, _, _, named, moved, *_ = rank(best)
    return Kept(best[0], best[1], calls) if same or close or named or moved else None


def holds(case: Case, seen: Observation, array: np.ndarray) -> bool:
    """Whether a state is what was returned, or what the case leads to."""
    got = result(case, seen)
    if got is not None and np.array_equal(array.astype(np.float64).ravel(), got, equal_nan=True):
        return True
    means = wanted(case)
    return got is not None and bool(np.all(np.abs(array.astype(np.float64).ravel() - got) <= 2 * means.bounds[-1]))


def series(run: Run, calls: Sequence[Call], path: str) -> Iterator[tuple[np.ndarray | None, np.ndarray | None]]:
    """What sat at a path before and after each call."""
    for call in calls:
        before, after = parts(run, call.before), parts(run, call.after)
        yield (before[path][1] if path in before else None), (after[path][1] if path in after else None)


def excuse(case: Case, seen: Observation) -> Blocked | NotApplicable | None:
    """Why a check of the module cannot be judged on this case."""
    if by := culprit(seen):
        return Blocked(by)
    run = base(seen)
    if not made(run) and not run.modules:
        return Blocked(IN_STATE)
    hidden = any(call.traced for call in seen.run.calls) or not seen.run.calls
    if len(step_calls(run)) != steps_asked(case) and hidden and not _tells(case, seen):
        return NotApplicable(NO_CALL) if nothing_called(seen) else out_of_sight(seen, HIDDEN)
    return None


def nothing_called(seen: Observation) -> bool:
    """Whether no call of a module was seen, and none can be hidden in a trace."""
    return seen.untraced is not None and not seen.untraced.raised and not seen.run.calls and not seen.untraced.calls


def _tells(case: Case, seen: Observation) -> bool:
    """Whether the module's state says what became of it, though its calls are not all to be seen."""
    return any(near(array, wanted(case)) for _, array in ended(base(seen)).values())


def shown(array: np.ndarray | None) -> str:
    """An array in a message, short."""
    if array is None:
        return "nothing"
    numbers = [f"{number:.7g}" for number in array.astype(np.float64).ravel()[:6]]
    more = ", ..." if array.size > len(numbers) else ""
    return f"[{', '.join(numbers)}{more}]"
