"""The reading of a case that all contracts on functions share, and the needs of their checks.

The judge makes one reading a case; each property is computed on first use and cached. A contract's own reading adds
what its facts mean: which state counts, and what the calls did to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import Blocked, Need, Unmet, Unseen, unmet
from nnx_conformance.core.facts import Call, Facts, Line, Module, Run, Slot, Value
from nnx_conformance.core.plain_text import short
from nnx_conformance.core.timeline import clearer, main_calls

WRAPPER = "wrapper-kept"
TRACED = "no-traced-mutation"
FRESH = "fresh-state-per-run"
IN_VARIABLE = "counts-in-variable"

NOT_INSPECTED = Unseen("every call ran inside a trace, and we look into the traces of other cases only")
COMPILE_INSIDE = (
    "Compile the step by `jax.jit` or `nnx.jit`, where the file is imported or the function runs, and let it run under "
    "`jax.disable_jit()`, too."
)


@dataclass(frozen=True)
class Loss:
    """A Variable replaced by something else; `call` is the position of the call that did it, -1 outside of calls."""

    target: str
    before: str
    after: str
    line: Line | None
    call: int


@dataclass(frozen=True, eq=False)
class Reading:
    """The facts of one case, interpreted.

    Attributes:
        returns: the id of the check of the result. An exception violates it, unless it violates another check.
        traced: the id of the check that an exception about a trace violates; empty if the contract has none.
    """

    case: Case
    facts: Facts

    returns: ClassVar[str] = ""
    traced: ClassVar[str] = TRACED

    @property
    def run(self) -> Run:
        """The plain run."""
        return self.facts.run

    @property
    def requested_calls(self) -> int:
        """How many calls of its module the case asks for."""
        return self.run.requested_calls

    @property
    def runs(self) -> tuple[Run, ...]:
        """The plain run, and the others that may show its calls."""
        return self.facts.runs

    @cached_property
    def clear(self) -> Run:
        """The run that shows the calls: the plain one, unless traces hide them in it."""
        return clearer(self.run, self.facts.untraced, self.reports)

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The calls of the main module."""
        return main_calls(self.clear)

    @cached_property
    def created(self) -> list[Module]:
        """The modules that the run made."""
        return created(self.clear)

    @cached_property
    def lost(self) -> tuple[Run, Loss] | None:
        """The first lost wrapper, and the run that shows it; the plain run comes first."""
        pairs = ((run, first_loss(run)) for run in (self.run, self.clear))
        return next(((run, loss) for run, loss in pairs if loss), None)

    @cached_property
    def exception_breaks(self) -> str:
        """The check that the run's exception violates; empty if it raised none."""
        raised = self.run.raised
        if raised is None:
            return ""
        if self.traced and raised.about_trace:
            return self.traced
        return WRAPPER if first_loss(self.run) else self.returns

    @property
    def reports(self) -> Run | None:
        """The run whose traced calls reported themselves; None if there is none, or it cannot be trusted."""
        run = self.facts.reported
        usable = run is not None and run.raised is None and run.calls and not both_branches(run)
        return run if usable else None

    def out_of_sight(self, why: str) -> Unseen:
        """Why calls in a trace cannot be judged.

        Args:
            why: the reason if the candidate also runs without traces.
        """
        untraced = self.facts.untraced
        if untraced is None:
            return NOT_INSPECTED
        if untraced.raised is None or self.run.raised:
            return Unseen(why, COMPILE_INSIDE)
        raised = untraced.raised
        what = f"{raised.type}: {short(raised.message)}" if raised.message else raised.type
        return Unseen(
            "the calls ran inside a trace that reports nothing, and under `jax.disable_jit()` the candidate raises "
            f"{what}",
            COMPILE_INSIDE,
        )


def both_branches(run: Run) -> bool:
    """Whether calls ran in a `cond` or `switch` under `vmap`, which runs all branches and then selects by lane."""
    names = [{name.rpartition(".")[2] for name in call.through} for call in run.calls]
    return any("vmap" in around and around & {"cond", "switch"} for around in names)


def returned(reading: Reading) -> Unmet:
    """Need: the run did not raise."""
    return Blocked(reading.exception_breaks) if reading.exception_breaks else None


def own_exception(reading: Reading) -> Unmet:
    """Need: the run did not raise, or its exception violates the check of the result."""
    return None if reading.exception_breaks in ("", reading.returns) else Blocked(reading.exception_breaks)


def returned_once(reading: Reading) -> Unmet:
    """Need: at least one of the two runs of the case did not raise."""
    again = reading.facts.again
    return returned(reading) if again is not None and again.raised else None


def unless(evidence: Callable[[Any], object], *needs: Need) -> Need:
    """These needs, waived for a reading that already shows the violation."""

    def need(reading: Any) -> Unmet:
        return None if evidence(reading) else unmet(needs, reading)

    return need


def created(run: Run) -> list[Module]:
    """The modules that a run made."""
    return [module for module in run.modules if module.created]


def same_result(a: Value | None, b: Value | None) -> bool:
    """Whether two results are equal to the last bit."""
    if a is None or b is None or a.array is None or b.array is None:
        return (a is None) == (b is None) and (a is None or b is None or a.type == b.type)
    first, second = ((v.type, v.array.dtype, v.array.shape, v.array.tobytes()) for v in (a, b) if v.array is not None)
    return first == second


def first_loss(run: Run) -> Loss | None:
    """The first lost wrapper of a run."""
    return next(losses(run), None)


def losses(run: Run) -> Iterator[Loss]:
    """The lost wrappers of a run: first those whose write was observed, then those that only the state shows."""
    known: set[str] = set()
    for write in run.writes:
        if write.lost:
            known.add(write.target.rpartition(".")[2])
            yield Loss(write.target, write.before, write.after, write.line, write.call)
    for number, call in enumerate(run.calls):
        if call.after is not None and call.after.layout != call.before.layout:
            for name, before, after in replaced(run.layouts[call.before.layout], run.layouts[call.after.layout]):
                if name.rpartition(".")[2] not in known:
                    known.add(name)
                    yield Loss(f"{run.modules[call.module].name}.{name}", before, after, call.line, number)
    for module in run.modules:
        if module.start is not None and module.end is not None and module.start.layout != module.end.layout:
            for name, before, after in replaced(run.layouts[module.start.layout], run.layouts[module.end.layout]):
                if name.rpartition(".")[2] not in known and name not in known:
                    yield Loss(f"{module.name}.{name}", before, after, None, -1)


def replaced(before: tuple[Slot, ...], after: tuple[Slot, ...]) -> Iterator[tuple[str, str, str]]:
    """The paths where something else replaced a Variable, with the types before and after."""
    by_path = {slot.path: slot for slot in after}
    for slot in before:
        if slot.variable and slot.path in by_path and not by_path[slot.path].variable:
            yield slot.path, slot.type, by_path[slot.path].type
