"""Everything that is asked about one case: the run, the same again, without traces, and with interventions.

An intervention changes the state or an output by a whole number, keeping dtype, shape and weak type, and tells what
became of the result. What it means is for the checks to judge.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from nnx_conformance.bypass import bypassed
from nnx_conformance.case import Case
from nnx_conformance.flax_versions import contents, is_tracer, primal, set_contents
from nnx_conformance.frameworks.foreign import foreign
from nnx_conformance.graph import changed, number, on_device, parts, variables
from nnx_conformance.observation import Observation, Outcome, Run, Shift
from nnx_conformance.observe import Candidate, outcome, rerun, run, run_untraced
from nnx_conformance.request import AGAIN, FORGET, LINES, LOOK, NO_LOOK, SHIFTS, UNTRACED, Request
from nnx_conformance.timeline import clearer, groups, main_calls, moved, numbers

AMOUNT = 3
#: What is added while calls are left to make: a loop that waits for its count would make up for a small number.
FAR = 100
#: After so many runs without traces that showed no more than the plain ones, they become rare.
FRUITLESS = 4
#: Cases of more calls are not run without traces: a loop that takes no time when compiled may take a minute then.
MOST_CALLS = 200


def observe(candidate: Candidate, request: Request) -> Observation:
    """Answer a request; what the candidate writes to its streams is added by who holds them.

    Running without traces is slow, so once a candidate is known to trace, or this has shown nothing new for some cases,
    it is done only where shifts are wanted.
    """
    case = request.case
    follow = LINES in request.probes
    if FORGET in request.probes:
        forget_compiled()
    first = run(candidate, case, request.calls, follow=follow)
    again = rerun(candidate, case) if AGAIN in request.probes else None
    hidden = without_traces(candidate, request, first)
    untraced = run_untraced(candidate, case, request.calls, follow=follow) if hidden else None
    if follow and untraced and not untraced.raised and _followed(outcome(untraced), outcome(first)):
        forget_compiled()  # what is compiled already runs without the candidate's lines
        first = run(candidate, case, request.calls, follow=True)
        again = rerun(candidate, case) if AGAIN in request.probes else None
    if candidate.traced and untraced and not (first.calls or first.raised) and clearer(first, untraced) is first:
        forget_compiled()  # a trace is kept from an earlier case, and its calls with it; without traces none is seen
        first = run(candidate, case, request.calls, follow=follow)
    base = clearer(first, untraced)
    candidate.traced = candidate.traced or any(call.traced for of in (first, untraced) if of for call in of.calls)
    candidate.traces = candidate.traces or base is not first
    candidate.fruitless += untraced is not None and base is first
    shifts = _shifts(candidate, case, first, base) if SHIFTS in request.probes and not first.raised else ()
    candidate.classes.forget_dead()
    seen = candidate.traced or bool(base.calls) or first.raised is not None
    unseen = bool(request.calls) and not seen and bypassed(candidate, case)
    other = "" if first.modules else foreign(candidate, case, request.calls)
    return Observation(first, again, untraced, shifts, _end(base), unseen, "", other)


def forget_compiled() -> None:
    """Forget what earlier cases have compiled."""
    jax.clear_caches()  # type: ignore[no-untyped-call]


def without_traces(candidate: Candidate, request: Request, first: Run) -> bool:
    """Whether to run the case without traces, too."""
    wanted = request.calls <= MOST_CALLS and _looks(candidate, request) and hidden_calls(first)
    return UNTRACED in request.probes or wanted


def _looks(candidate: Candidate, request: Request) -> bool:
    """Whether what a trace may hide is worth another run."""
    if LOOK in request.probes or NO_LOOK in request.probes:
        return LOOK in request.probes
    return SHIFTS in request.probes or not (candidate.traces or candidate.fruitless >= FRUITLESS)


def hidden_calls(seen: Run) -> bool:
    """Whether calls may have run where the spies do not see them: inside a trace, or from its cache."""
    traced = any(call.traced for call in seen.calls) or bool(seen.raised and seen.raised.about_trace)
    found = main_calls(seen)
    return traced or len(found) != seen.asked or (bool(found) and not moved(seen, found))


def _end(of: Run) -> tuple[float | None, ...]:
    calls = main_calls(of)
    after = numbers(of, calls[-1].after) if calls and calls[-1].after else {}
    return tuple(after.get(path) for path in moved(of, calls))


class RanOn(BaseException):
    """Ends a run that goes on calling because of an intervention: its loop waits for a count that has been passed."""


@dataclass(frozen=True, eq=False)
class _Intervener:
    """Makes the shifted runs of one case, the way (traced or not) in which its calls can be seen.

    A candidate may call several modules; each of them is shifted, for only the result can tell which one is read.
    """

    candidate: Candidate
    case: Case
    asked: int
    paths: tuple[str, ...]
    runner: Callable[..., Run]
    most: int

    def state(self, when: str, ordinals: frozenset[int], amount: int = AMOUNT) -> Shift:
        """Shift the counting Variables right after the calls with these numbers."""
        applied: list[bool] = []

        def after_call(module: Any, position: int, output: Any) -> Any:
            if position in ordinals:
                applied.append(shift_state(module, self.paths, amount))
            if position > self.most:
                raise RanOn(f"more than {self.most} calls")
            return output

        return self._shift("state", when, amount, applied, self.runner, after_call=after_call)

    def construction(self) -> Shift:
        """Shift the counting Variables right after construction, in the run as it is."""
        applied: list[bool] = []

        def after_construction(module: Any) -> None:
            applied.append(shift_state(module, self.paths, FAR))

        return self._shift("state", "after construction", FAR, applied, run, after_construction=after_construction)

    def output(self, ordinals: frozenset[int]) -> Shift:
        """Shift what the calls with these numbers return."""
        applied: list[bool] = []

        def after_call(module: Any, position: int, output: Any) -> Any:
            if position not in ordinals or not _numeric(output):
                return output
            applied.append(True)
            return shifted(output)

        return self._shift("output", "after the last call", AMOUNT, applied, self.runner, after_call=after_call)

    def _shift(
        self, what: str, when: str, amount: int, applied: list[bool], runner: Callable[..., Run], **hooks: Any
    ) -> Shift:
        made = runner(self.candidate, self.case, self.asked, **hooks)
        calls = main_calls(made)
        after = numbers(made, calls[-1].after) if calls and calls[-1].after else {}
        end = tuple(after.get(path) for path in self.paths)
        return Shift(what, when, amount, any(applied), outcome(made), end, len(made.calls))


def _shifts(candidate: Candidate, case: Case, first: Run, base: Run) -> tuple[Shift, ...]:
    calls = main_calls(base)
    if not calls:
        return ()
    lasts, firsts = _ordinals(base, -1), _ordinals(base, 0)
    paths = tuple(moved(base, calls))
    runner = run if base is first else run_untraced
    make = _Intervener(candidate, case, base.asked, paths, runner, 2 * len(base.calls) + 10)
    made = [make.output(lasts)]
    if paths:
        made += _at_the_end(make, lasts, base is not first)
        plain = _not_params(base, paths)
        if plain and len(plain) < len(paths):
            other = dataclasses.replace(make, paths=plain)
            made.append(other.state("after the last call, Params left alone", lasts))
        if len(calls) > 1:
            made.append(make.state("after the first call", firsts, FAR))
    return tuple(made)


def _at_the_end(make: _Intervener, lasts: frozenset[int], hidden: bool) -> Iterator[Shift]:
    """The state raised after the last call, and lowered; where that call is hidden in a trace, shifted before it."""
    raised = make.state("after the last call", lasts)
    yield raised
    yield make.state("after the last call", lasts, -AMOUNT)
    # Without traces a candidate may behave otherwise, so the run as it is must follow, too. A compiled loop that waits
    # for a count that has been passed would never end.
    if hidden and not _ran_on(raised):
        yield make.construction()


def _ran_on(shift: Shift) -> bool:
    return shift.outcome.raised is not None and shift.outcome.raised.type == RanOn.__name__


def _not_params(of: Run, paths: tuple[str, ...]) -> tuple[str, ...]:
    params = {slot.path for layout in of.layouts for slot in layout if slot.param}
    return tuple(path for path in paths if path not in params)


def _ordinals(of: Run, which: int) -> frozenset[int]:
    """The number, among the concrete calls, of the first or last call of each module."""
    chosen = [calls[which] for calls in groups(of)]
    concrete = [call for call in of.calls if not call.traced]
    return frozenset(at for at, call in enumerate(concrete, start=1) if any(call is one for one in chosen))


def _followed(shifted_to: Outcome, was: Outcome) -> bool:
    a, b = shifted_to.result, was.result
    if a is None or b is None or a.array is None or b.array is None:
        return True
    return a.array.ravel()[:1].tobytes() != b.array.ravel()[:1].tobytes()


def shift_state(module: Any, paths: tuple[str, ...], amount: int) -> bool:
    """Add to what Variables hold at these paths; whether there was anything."""
    found = variables(module).items()
    return any([_shift_variable(variable, path, paths, amount) for path, variable in found])


def _shift_variable(variable: Any, path: str, paths: tuple[str, ...], amount: int) -> bool:
    held = contents(variable)
    chosen = {way for way, part in parts(held) if path + way in paths and number(primal(part)) is not None}
    if chosen:
        set_contents(variable, changed(held, lambda way, part: shifted(part, amount) if way in chosen else part))
    return bool(chosen)


def shifted(value: Any, amount: Any = AMOUNT) -> Any:
    """A number or array, larger by `amount`, of the same dtype, shape and weak type; unsigned ones wrap around."""
    if isinstance(value, (np.ndarray, np.generic)):
        return (value + np.asarray(amount).astype(value.dtype)).astype(value.dtype)
    if isinstance(value, jax.Array) and not value.weak_type and not is_tracer(value):
        return on_device(shifted(np.asarray(value), amount))  # in NumPy: in JAX, each new shape would be compiled
    return value + amount  # a Python int keeps dtype and weak type in JAX


def _numeric(value: Any) -> bool:
    value = primal(value)
    if is_tracer(value) or not isinstance(value, (jax.Array, np.ndarray)):
        return isinstance(value, (int, float))
    return value.dtype.kind in "iuf" or value.dtype.name == "bfloat16"
