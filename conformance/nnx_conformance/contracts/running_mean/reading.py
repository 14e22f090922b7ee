"""The reading of a running mean's case: its steps, and the leaf of the state that holds the mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from nnx_conformance.contracts.arrays import State, arrays, in_series
from nnx_conformance.contracts.reading import COMPILE_INSIDE, Loss, Reading, first_loss
from nnx_conformance.contracts.running_mean.oracle import Means, running
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import Blocked, Unmet, Unseen
from nnx_conformance.core.facts import Call, Intervention, Line, Run, Slot, Snapshot, Value

RETURNS = "returns-mean"
IN_STATE = "mean-in-state"
ZEROS = "starts-from-zeros"
THREADED = "state-threaded"
UPDATE = "one-update-per-step"
FLOAT32 = "accumulates-in-float32"
#: The checks that may cause a wrong mean.
EXPLAINING = (ZEROS, THREADED, UPDATE, FLOAT32)

#: The most rows or columns of an array that may each hold a statistic: a mean and a variance, say.
FEW = 4
CALL_ONCE = "Call the module itself once a step, `model(batch)`, or in Linen `model.apply`."
NO_CALL = Unseen("no module call was observed: another method, or a bound one, was used", CALL_ONCE)
HIDDEN = "the calls ran inside a trace, so none can be observed"

#: A leaf's array before and after a step; None if the leaf did not exist.
Moment = tuple[np.ndarray | None, np.ndarray | None]


def requested_steps(case: Case) -> int:
    """How many steps a case has."""
    return int(case["batches"].shape[0])


@dataclass(frozen=True, eq=False)
class LeafHistory:
    """A leaf of the module's state, with its arrays at the end, and before and after each step."""

    slot: Slot
    last: np.ndarray
    moments: tuple[Moment, ...]

    @property
    def first(self) -> np.ndarray | None:
        """Its array before the first step; None if it did not exist, or no step was observed."""
        return self.moments[0][0] if self.moments else None


@dataclass(frozen=True, eq=False)
class MeanReading(Reading):
    """The reading of a running mean; its contract has no check of traces."""

    returns: ClassVar[str] = RETURNS
    traced: ClassVar[str] = ""

    @property
    def momentum(self) -> float:
        """The momentum of the case."""
        return float(self.case["momentum"])

    @property
    def features(self) -> int:
        """How many numbers the mean has."""
        return int(self.case["batches"].shape[2])

    @cached_property
    def means(self) -> Means:
        """The expected means of the case."""
        return running(self.case["batches"], self.momentum)

    @cached_property
    def result(self) -> np.ndarray | None:
        """The result in float64, shape `[features]`; None if it is no array of that shape."""
        return self.as_mean(self.run.result)

    def as_mean(self, value: Value | None) -> np.ndarray | None:
        """A run's result in float64, shape `[features]`; None if it is no array of that shape."""
        array = value.array if value else None
        if array is None or array.dtype.kind == "c" or array.shape != (self.features,):
            return None
        return array.astype(np.float64)

    @cached_property
    def loss(self) -> Loss | None:
        """The first lost wrapper."""
        return first_loss(self.clear)

    @property
    def constructed_at(self) -> Line | None:
        """Where the first module was made."""
        return next((module.line for module in self.clear.modules), None)

    @property
    def framework(self) -> str:
        """The framework of the main module; empty if the run made none."""
        modules, position = self.clear.modules, self.calls[0].module if self.calls else 0
        return modules[position].framework if modules else ""

    @cached_property
    def steps(self) -> tuple[Call, ...]:
        """The calls that are steps: those of the main module, or of all of its class if each step makes a new one.

        A Linen `apply` without `mutable=` only reads, so it is no step if the other calls are as many as the steps.
        """
        run, calls = self.clear, self.calls
        if not calls:
            return ()
        name = run.modules[calls[0].module].name
        writing = tuple(call for call in calls if call.mutable)
        of_class = tuple(call for call in run.calls if not call.traced and run.modules[call.module].name == name)
        return next((steps for steps in (calls, writing, of_class) if len(steps) == self.requested_calls), calls)

    @cached_property
    def states(self) -> tuple[tuple[State, State], ...]:
        """The state before and after each step."""
        return tuple((_parts(self.clear, step.before), _parts(self.clear, step.after)) for step in self.steps)

    @cached_property
    def ended(self) -> State:
        """The last state of the module: after its last step, or when the candidate returned."""
        if self.steps:
            return self.states[-1][1]
        ends = [_parts(self.clear, module.end) for module in self.clear.modules]
        return {path: leaf for end in ends for path, leaf in end.items()}

    @cached_property
    def nearest(self) -> LeafHistory | None:
        """The leaf that holds the mean, or most likely should; None if no array of the module qualifies."""
        ended = ((slot, array) for slot, array in self.ended.values() if array.size == self.features)
        leaves = (LeafHistory(slot, array, self._moments(slot.path)) for slot, array in ended)
        best = max(leaves, key=self._likeness, default=None)
        if best is None:
            return None
        same, near, _, _, named, moved, *_ = self._likeness(best)
        return best if same or near or named or moved else None

    @property
    def leaf(self) -> LeafHistory:
        """The nearest leaf; only for checks that need `a_leaf`."""
        assert self.nearest is not None
        return self.nearest

    def _moments(self, path: str) -> tuple[Moment, ...]:
        none = (None, None)
        return tuple((before.get(path, none)[1], after.get(path, none)[1]) for before, after in self.states)

    def _likeness(self, leaf: LeafHistory) -> tuple[bool, ...]:
        """The signs that a leaf holds the mean, the strongest first."""
        # A variance may equal the mean by chance, so its history counts, and then its name.
        along = len(self.steps) == self.requested_calls and all(
            after is not None and self.means.near(after, step).holds()
            for step, (_, after) in enumerate(leaf.moments, start=1)
        )
        zeros = leaf.first is not None and not np.any(leaf.first)
        moved = leaf.first is not None and not np.array_equal(leaf.first, leaf.last)
        slot, near = leaf.slot, self.means.near(leaf.last).holds()
        return self.is_result(leaf), near, along, zeros, "mean" in slot.path, moved, slot.variable, not slot.param

    def is_result(self, leaf: LeafHistory, bound: np.ndarray | None = None) -> bool:
        """Whether a leaf equals the result: exactly, or within this bound."""
        if self.result is None:
            return False
        mean = leaf.last.astype(np.float64).ravel()
        exact = np.array_equal(mean, self.result, equal_nan=True)
        return exact or (bound is not None and bool(np.all(np.abs(mean - self.result) <= bound)))

    @cached_property
    def unjudgeable(self) -> Unmet:
        """Why no check of the module can be judged: the run raised, made no module, or hides its steps."""
        if self.exception_breaks:
            return Blocked(self.exception_breaks)
        if not self.clear.modules:
            return Blocked(IN_STATE)
        plain = self.run.calls and not any(call.traced for call in self.run.calls)
        # Even if some steps are hidden, the last state may show the mean.
        near = (self.means.near(array) for _, array in self.ended.values())
        if plain or len(self.steps) == self.requested_calls or any(claim.holds() for claim in near):
            return None
        untraced = self.facts.untraced
        idle = untraced is not None and not untraced.raised and not any(run.calls for run in self.runs)
        return NO_CALL if idle else self.out_of_sight(HIDDEN)

    @property
    def shift(self) -> Intervention | None:
        """The first intervention that had something to change."""
        return next((shift for shift in self.facts.shifts if shift.applied), None)


def _parts(run: Run, snapshot: Snapshot | None) -> State:
    """The arrays of a snapshot by path, with the rows and columns of small ones, and series of single numbers."""
    parts = arrays(run, snapshot)
    for path, (slot, array) in list(parts.items()):
        rows, columns = array.shape if array.ndim == 2 else (0, 0)
        lines = {f"{path}[{row}]": array[row] for row in range(rows) if 1 < rows <= FEW}
        lines |= {f"{path}[:, {column}]": array[:, column] for column in range(columns) if 1 < columns <= FEW}
        parts |= {name: (replace(slot, path=name), line) for name, line in lines.items()}
    return parts | in_series(parts)


def a_mean(reading: MeanReading) -> Unmet:
    """Need: the result has the shape of the mean."""
    return Blocked(reading.exception_breaks or RETURNS) if reading.result is None else None


def judgeable(reading: MeanReading) -> Unmet:
    """Need: the run returned, made a module, and does not hide its steps."""
    return reading.unjudgeable


def a_leaf(reading: MeanReading) -> Unmet:
    """Need: a leaf of the state may hold the mean."""
    return Blocked(IN_STATE) if reading.nearest is None else None


def steps_visible(reading: MeanReading) -> Unmet:
    """Need: some run shows a step."""
    return None if reading.steps else Unseen(HIDDEN, COMPILE_INSIDE) if reading.run.calls else NO_CALL


#: The needs of the checks of the mean in the state, and of those of its steps.
WITH_LEAF = (judgeable, a_leaf)
STEPPED = (*WITH_LEAF, steps_visible)
