"""The reading of a case with one counter a lane: the rows returned, the Variable that counts, its calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from nnx_conformance.contracts.arrays import arrays, in_series
from nnx_conformance.contracts.reading import COMPILE_INSIDE, IN_VARIABLE, Loss, Reading, created, first_loss, returned
from nnx_conformance.core.contract import Blocked, Unmet, Unseen
from nnx_conformance.core.facts import Call, Module, Run, Slot, Value
from nnx_conformance.core.timeline import went_on

RETURNS = "returns-lanes"
SUM = "sum-preserved"
LIFTED = "runs-lifted"
PER_LANE = "one-count-per-lane"
INCREMENT = "one-increment-per-call"

HIDDEN = "the calls ran inside a trace that cannot be switched off, which hides their state"


@dataclass(frozen=True, eq=False)
class Count:
    """The Variable that counts.

    Attributes:
        run: the run that shows it.
        slot: its slot in the state.
        calls: the calls whose state holds it.
        moments: its numbers before and after each of them; one array for all lanes of the call.
    """

    run: Run
    slot: Slot
    calls: tuple[Call, ...]
    moments: tuple[tuple[np.ndarray, np.ndarray], ...]

    @property
    def lane_calls(self) -> int:
        """The number of calls, counted once for each lane that a call runs."""
        return sum(after.size for _, after in self.moments)

    @property
    def reached(self) -> float:
        """The largest number after a call."""
        return max(float(np.max(after)) for _, after in self.moments)

    @property
    def went_to(self) -> float:
        """How far `reached` is above its least start."""
        return self.reached - float(np.min(self.moments[0][0]))

    @property
    def single(self) -> bool:
        """Whether it is a single number after each call."""
        return all(after.size == 1 for _, after in self.moments)

    @property
    def by_one(self) -> bool:
        """Whether each call adds 1 to it in each lane; calls that change its shape do not count."""
        return all(np.all(after - before == 1) for before, after in self.moments if before.shape == after.shape)

    def rank(self) -> tuple[bool, bool, bool, int]:
        """The signs that a Variable is meant to count: calls change it, by 1, and it is no Param."""
        moves = any(before.shape != after.shape or np.any(after != before) for before, after in self.moments)
        return moves, self.by_one, not self.slot.param, self.lane_calls

    def starts(self) -> list[np.ndarray]:
        """Its numbers in each model that the run made, and before the first call."""
        states = [arrays(self.run, module.start) for module in self.run.modules if module.constructed]
        return [*(state[self.slot.path][1] for state in states if self.slot.path in state), self.moments[0][0]]

    def maps(self) -> int:
        """How many `vmap` calls build *and* call their own models; 0 if a model built elsewhere is called in one.

        Inside such a `vmap` each lane has its own model, so a count that looks like one number is one number per lane.
        An inner transform calls copies, whose origin we do not know. Then all models of the run must have been built in
        the `vmap` calls that call any.
        """
        called = {call.mapping for call in self.calls}
        models = self.run.modules
        built = {model.mapping for model in models if model.constructed}
        pairs = ((models[call.module], call.mapping) for call in self.calls)
        own = all(model.constructed and model.mapping == mapping for model, mapping in pairs)
        return len(called) if -1 not in called and (own or built == called) else 0

    def lane_by_lane(self, lanes: int, requested: int) -> bool:
        """Whether one model holds all counts (or more, padded to a block), and `n_calls` calls raise each."""
        if len({counts.shape for moment in self.moments for counts in moment}) > 1 or self.moments[0][0].size < lanes:
            return False
        rises = np.array([(after - before).ravel() for before, after in self.moments])
        by_one = np.all((rises == 0) | (rises == 1)) and np.all(rises.any(axis=1))
        return bool(by_one and np.all(rises.sum(axis=0) == requested))


@dataclass(frozen=True, eq=False)
class LanesReading(Reading):
    """The reading of a counter for each lane of `xs`."""

    returns: ClassVar[str] = RETURNS

    @property
    def lanes(self) -> int:
        """How many lanes the case has."""
        return int(self.case["xs"].shape[0])

    def rows(self, value: Value | None) -> np.ndarray | None:
        """A result in float64, shape `[lanes, 2]`; None if it is no array of real numbers of that shape."""
        if value is None or value.array is None or value.array.dtype.kind == "c":
            return None
        return value.array.astype(np.float64) if value.array.shape == (self.lanes, 2) else None

    @cached_property
    def result(self) -> np.ndarray:
        """The rows of the plain run; only for checks that need `a_result`."""
        rows = self.rows(self.run.result)
        assert rows is not None
        return rows

    @cached_property
    def visible(self) -> Run | None:
        """The run that shows the state of the calls: one with reporting traces, or without traces."""
        if self.reports and not went_on(self.run):
            return self.reports
        untraced = self.facts.untraced
        if untraced is not None and untraced.raised is None and not went_on(self.run):
            return untraced
        return self.run if self.run.calls and not any(call.traced for call in self.run.calls) else None

    @cached_property
    def created(self) -> list[Module]:
        """The modules that any run made; a run that uses compiled code makes none."""
        return [module for run in self.runs for module in created(run)]

    @property
    def foreign(self) -> str:
        """The class of another framework's module, if the run uses no NNX module; otherwise empty."""
        return "" if any(module.framework == "nnx" for module in self.run.modules) else self.facts.foreign

    @cached_property
    def lost(self) -> tuple[Run, Loss] | None:
        """The first lost wrapper of any run, and the run; even a run without traces that raised."""
        return next(((run, loss) for run in self.runs if (loss := first_loss(run))), None)

    @cached_property
    def variable(self) -> Count | None:
        """The Variable that is most likely meant to count; None if no call shows any."""
        counts = _counts(self.visible) if self.visible else ()
        return max(counts, key=Count.rank, default=None)

    @property
    def count(self) -> Count:
        """The counting Variable; only for checks that need `a_count`."""
        assert self.variable is not None
        return self.variable


def _counts(run: Run) -> Iterator[Count]:
    """The Variables in the state of a run's calls, each with these calls."""
    by_path: dict[str, list[tuple[Slot, Call, np.ndarray, np.ndarray]]] = {}
    for call in run.calls:
        states = (arrays(run, call.before), arrays(run, call.after))
        before, after = (state | in_series(state) for state in states)
        for path, (slot, counts) in after.items():
            if slot.variable and path in before and counts.size and before[path][1].size:
                by_path.setdefault(path, []).append((slot, call, before[path][1], counts))
    for entries in by_path.values():
        slots, calls, befores, afters = zip(*entries, strict=True)
        yield Count(run, slots[0], calls, tuple(zip(befores, afters, strict=True)))


def a_result(reading: LanesReading) -> Unmet:
    """Need: the result is an array with a count and a sum for each lane."""
    unusable = reading.rows(reading.run.result) is None
    return Blocked(reading.exception_breaks or RETURNS) if unusable else None


def calls_visible(reading: LanesReading) -> Unmet:
    """Need: some run shows the calls, or the candidate makes none."""
    hidden = reading.visible is None and (reading.run.modules or reading.facts.untraced is None)
    return reading.out_of_sight(HIDDEN) if hidden else None


def concrete(reading: LanesReading) -> Unmet:
    """Need: the Variables of the calls hold numbers, not only tracers of unknown value, as in `nnx.remat`."""
    if reading.variable is not None or (run := reading.visible) is None:
        return None
    abstract = any(
        run.layouts[call.before.layout][position].counts and call.before.arrays[position] < 0
        for call in run.calls
        for position in call.before.traced
    )
    return Unseen(HIDDEN, COMPILE_INSIDE) if abstract else None


def a_count(reading: LanesReading) -> Unmet:
    """Need: the calls show a Variable."""
    return Blocked(IN_VARIABLE) if reading.variable is None else None


#: The needs of the checks of the module, and of those of its counting Variable.
VISIBLE = (returned, calls_visible)
COUNTED = (*VISIBLE, concrete, a_count)
