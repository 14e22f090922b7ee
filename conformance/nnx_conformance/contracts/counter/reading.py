"""The reading of a counter's case: the pair returned, the Variable that counts, why calls are hidden."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from nnx_conformance.contracts.reading import (
    COMPILE_INSIDE,
    IN_VARIABLE,
    NOT_INSPECTED,
    TRACED,
    WRAPPER,
    Reading,
    created,
)
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import same_numbers
from nnx_conformance.core.contract import Blocked, Unmet, Unseen
from nnx_conformance.core.facts import Intervention, Run, Slot, Value
from nnx_conformance.core.plan import Changed, Moment
from nnx_conformance.core.timeline import begun, ends_otherwise, main_calls, moved, numbers, starts_over, state, went_on

RETURNS = "returns-pair"
INCREMENT = "one-increment-per-call"
OUTPUT = "output-unchanged"
COUNT = "count-equals-calls"
SUM = "sum-preserved"

KEPT = Unseen(
    "the module is called through a reference that was kept before the kit could see it", "Judge the file instead."
)
TRACED_CALLS = "the calls ran inside a trace, so none can be observed"
STAYS = "the calls ran inside a trace that cannot be switched off (vmap or checkpoint)"


def requested_calls(case: Case) -> int:
    """How many calls the case asks for, `int(n_calls)`."""
    return int(case["n_calls"])


@dataclass(frozen=True)
class Movement:
    """A Variable of the candidate's module with its first and last number."""

    slot: Slot
    first: float
    last: float


@dataclass(frozen=True, eq=False)
class CounterReading(Reading):
    """The reading of a counter that is called `n_calls` times and returns its count and the sum of `x`."""

    returns: ClassVar[str] = RETURNS

    @cached_property
    def pair(self) -> np.ndarray | None:
        """The result as two float64 numbers, whatever its dtype; None if it is no pair of numbers."""
        return pair_of(self.run.result)

    @cached_property
    def untraced_pair(self) -> np.ndarray | None:
        """The pair of the run without traces; None if there is none."""
        return pair_of(self.facts.untraced.result) if self.facts.untraced else None

    @cached_property
    def lost_in_trace(self) -> bool:
        """Whether traces drop what calls write: the count is wrong with them, and would be right without."""
        if self.dropped:
            return True
        kept = self.kept_without_traces
        return self.pair is not None and kept is not None and bool(self.pair[0] != kept)

    @cached_property
    def kept_without_traces(self) -> int | None:
        """The right count, if the run without traces returns it, or the result lacks just the calls that it traces."""
        if self.pair is None or self.facts.untraced is None:
            return None
        traced = sum(call.traced for call in self.facts.untraced.calls)
        right = self.untraced_pair is not None and self.untraced_pair[0] == self.requested_calls
        return self.requested_calls if right or (traced > 0 and self.pair[0] + traced == self.requested_calls) else None

    @cached_property
    def dropped(self) -> bool:
        """Whether traced calls start over, though no call does without traces; the result may hide it."""
        untraced, reported = self.facts.untraced, self.reports
        if untraced is None or reported is None or not ends_otherwise(self.run, untraced):
            return False
        if not len(main_calls(reported)) < self.requested_calls == len(main_calls(untraced)):
            return False
        return starts_over(reported) and not starts_over(untraced)

    @cached_property
    def restarts(self) -> bool:
        """Whether calls start over, so that no module is called as often as the case asks."""
        return len(self.calls) != self.requested_calls and starts_over(self.clear)

    @cached_property
    def caught_trace(self) -> tuple[str, ...]:
        """The check of traces if the candidate caught an exception about one, because that explains missing calls."""
        caught = self.clear.raised is None and any(call.across for call in self.clear.calls)
        return (TRACED,) if caught else ()

    @cached_property
    def uninspected(self) -> bool:
        """Whether a trace hides calls, and this case was not run without traces."""
        if self.facts.untraced is not None or went_on(self.run):
            return False
        return len(main_calls(self.run)) != self.requested_calls

    @cached_property
    def unjudgeable(self) -> Unmet:
        """Why no check of the module can be judged: the run raised, or hid calls that no other run showed."""
        if self.exception_breaks:
            return Blocked(self.exception_breaks)
        if self.facts.bypassed:
            return KEPT
        return NOT_INSPECTED if self.uninspected else None

    @cached_property
    def hidden(self) -> Unseen | None:
        """Why no run shows the calls; None if one does."""
        if len(self.calls) == self.requested_calls or went_on(self.run):
            return None
        if self.facts.bypassed:
            return KEPT
        if self.reports:
            return None
        refuses = self.facts.untraced is not None and self.facts.untraced.raised is not None
        compiled_before = refuses and not self.run.calls and bool(created(self.run))
        if self.clear is self.run and (compiled_before or any(call.traced for call in self.run.calls)):
            return self.out_of_sight(TRACED_CALLS)
        stays = any(call.traced for run in (self.clear, self.facts.untraced) if run for call in run.calls)
        return Unseen(STAYS, COMPILE_INSIDE) if stays else None

    @cached_property
    def no_counter(self) -> Blocked | Unseen:
        """Why no Variable counts."""
        if self.lost_in_trace:
            return Blocked(TRACED)
        return Blocked(WRAPPER) if self.lost else self.hidden or Blocked(IN_VARIABLE)

    @cached_property
    def movements(self) -> list[Movement]:
        """The Variables whose number changed over the calls, or over the life of a module that the run constructed."""
        run, movements = self.clear, dict[str, Movement]()
        for path in moved(run, self.calls):
            first, last = self.calls[0].before, self.calls[-1].after
            if last is not None:
                slot = state(run, last)[path][0]  # the last one: a call may put another type of Variable there
                movements[path] = Movement(slot, begun(run, first, last)[path], numbers(run, last)[path])
        for module in run.modules:
            if module.constructed and module.start is not None and module.end is not None:
                start, end = state(run, module.start), numbers(run, module.end)
                for path, (slot, number) in start.items():
                    if slot.counts and number is not None and end.get(path, number) != number:
                        movements.setdefault(path, Movement(slot, number, end[path]))
        return list(movements.values())

    @cached_property
    def counting(self) -> list[Movement]:
        """The Variables that went from 0 to `int(n_calls)`."""
        return [move for move in self.movements if move.first == 0 and move.last == self.requested_calls]

    @cached_property
    def final_numbers(self) -> set[float]:
        """The numbers in the modules' Variables at the end of the run, and after the last call."""
        ends = (numbers(self.clear, module.end) for module in self.clear.modules if module.end is not None)
        return {move.last for move in self.movements}.union(*(end.values() for end in ends))

    @cached_property
    def unmoved(self) -> str:
        """The path of a Variable that no call moved, and that `result[0]` equals; empty if there is none."""
        if self.pair is None or self.pair[0] == self.requested_calls or not self.calls or self.calls[-1].after is None:
            return ""
        first, last = numbers(self.clear, self.calls[0].before), numbers(self.clear, self.calls[-1].after)
        return next((path for path, value in last.items() if first.get(path) == value == self.pair[0]), "")

    @cached_property
    def overwritten(self) -> set[str]:
        """The Variables that lost the amount that the kit added after the first call."""
        paths = moved(self.clear, self.calls)
        for shift in self.shifts(Moment.FIRST_CALL):
            if shift.applied and shift.outcome.raised is None:
                ends = zip(paths, shift.end, self.facts.base_end, strict=False)
                return {path for path, end, base in ends if end == base}
        return set()

    @cached_property
    def reads_overwritten(self) -> bool:
        """Whether calls overwrite the Variables, and `result[0]` follows them only after the last call."""
        first = [shift for shift in self.shifts(Moment.FIRST_CALL) if shift.applied]
        return bool(self.overwritten) and self.follows(self.shifts(Moment.LAST_CALL)) and not self.follows(first)

    @property
    def kept_shifts(self) -> list[Intervention]:
        """The interventions after the first call whose amount every counting Variable kept until the last call."""
        return [
            shift
            for shift in self.shifts(Moment.FIRST_CALL)
            if shift.applied
            and shift.end
            and all(
                end is not None and base is not None and end == base + shift.amount
                for end, base in zip(shift.end, self.facts.base_end, strict=False)
            )
        ]

    @cached_property
    def reads_param(self) -> bool:
        """Whether `result[0]` follows the counting Variables only if the kit changes the Params among them, too."""
        others = self.shifts(Moment.LAST_CALL_BUT_PARAMS)
        return bool(others) and self.follows(self.shifts(Moment.LAST_CALL)) and not self.follows(others)

    def shifts(self, *moments: Moment) -> list[Intervention]:
        """The interventions on the state at these moments."""
        return [shift for shift in self.facts.shifts if shift.changed is Changed.STATE and shift.moment in moments]

    def follows(self, shifts: Iterable[Intervention], part: int = 0) -> bool:
        """Whether a part of the result changed with one of these; a candidate that raises has read the change, too."""
        return any(self._follows(shift, part) for shift in shifts)

    def _follows(self, shift: Intervention, part: int) -> bool:
        now = pair_of(shift.outcome.result)
        return now is None or self.pair is None or not same_numbers(now[part], self.pair[part]).holds()


def pair_of(value: Value | None) -> np.ndarray | None:
    """A value as two float64 numbers; None if it is no array of two real numbers."""
    if value is None or value.array is None or value.array.shape != (2,) or value.array.dtype.kind == "c":
        return None
    return value.array.astype(np.float64)


def has_variable(run: Run) -> bool:
    """Whether a module of the run ever had a Variable of its own."""
    return any(slot.counts for layout in run.layouts for slot in layout)


def a_pair(reading: CounterReading) -> Unmet:
    """Need: the result is a pair of numbers."""
    return Blocked(reading.exception_breaks or RETURNS) if reading.pair is None else None


def updates_kept(reading: CounterReading) -> Unmet:
    """Need: no update was lost in a trace."""
    return Blocked(TRACED) if reading.lost_in_trace else None


def none_dropped(reading: CounterReading) -> Unmet:
    """Need: traces do not drop what calls write; otherwise the run without traces says nothing about the plain one."""
    return Blocked(TRACED) if reading.dropped else None


def judgeable(reading: CounterReading) -> Unmet:
    """Need: the run returned, and some run shows its calls."""
    return reading.unjudgeable


def calls_visible(reading: CounterReading) -> Unmet:
    """Need: some run shows the calls."""
    return reading.hidden


def a_module(reading: CounterReading) -> Unmet:
    """Need: the candidate made a module."""
    return None if reading.created else reading.unjudgeable or Blocked(IN_VARIABLE)


def called_or_created(reading: CounterReading) -> Unmet:
    """Need: the candidate made or called a module."""
    return None if reading.calls or reading.created else Blocked(IN_VARIABLE)


def a_variable(reading: CounterReading) -> Unmet:
    """Need: a module has a Variable of its own."""
    return None if has_variable(reading.clear) else Blocked(IN_VARIABLE)


def a_counter(reading: CounterReading) -> Unmet:
    """Need: a Variable moved."""
    return None if reading.movements else reading.no_counter


def called(reading: CounterReading) -> Unmet:
    """Need: the module was called."""
    if reading.calls:
        return None
    return Blocked(INCREMENT if reading.created else IN_VARIABLE)
