"""Candidates that are functions: how they are loaded and observed. Imported where a candidate runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext, suppress
from types import FrameType
from typing import Any

import jax

from nnx_conformance.core.case import Case
from nnx_conformance.core.facts import Facts, Intervention, Rerun, Run
from nnx_conformance.core.plan import AGAIN, OUTPUTS, SHIFTS, Changed, Request, RunPlan, Untraced
from nnx_conformance.core.timeline import clearer, ends_otherwise, main_calls, moved, speaks_for, unread
from nnx_conformance.observe.frameworks.tensors import is_imported
from nnx_conformance.observe.interventions.arrays import on_arrays
from nnx_conformance.observe.interventions.base import Base, differs
from nnx_conformance.observe.interventions.numbers import on_numbers
from nnx_conformance.observe.interventions.outputs import on_outputs
from nnx_conformance.observe.load import adopt as adopt
from nnx_conformance.observe.load import load as load
from nnx_conformance.observe.run import (
    LoadedCandidate,
    forget_compiled,
    given_as,
    outcome,
    rerun,
    run,
    run_reporting,
    run_untraced,
    run_watched,
    without_traces,
)
from nnx_conformance.observe.spies.patches import profiling

#: Cases of more calls are not run without traces: a loop that takes no time when compiled may take a minute then.
MOST_CALLS = 200
#: The base class of modules of other frameworks.
FOREIGN = {"linen": "flax.linen.Module", "torch": "torch.nn.Module"}


def observe(candidate: LoadedCandidate, request: Request) -> Facts:
    """Make the runs that the plan of a request asks for; whoever holds the streams adds what the candidate wrote."""
    case, calls, plan = request.case, request.calls, request.plan
    if plan.watch:
        return _watched(candidate, request)
    if plan.compile_anew:
        forget_compiled()
    torch = is_imported()
    candidate.classes.passing = candidate.classes.called = frozenset()
    first = run(candidate, case, calls, follow=plan.follow)
    if candidate.arrays and is_imported() != torch:  # only now is there something to spy on
        first = run(candidate, case, calls, follow=plan.follow)
    if candidate.arrays and _steps_within(candidate, calls) and len(main_calls(first)) != calls:
        candidate.classes.passing = frozenset(candidate.classes.outer)
        first = run(candidate, case, calls, follow=plan.follow)
    if not first.calls and (methods := _called_methods(candidate, calls)):
        candidate.classes.called = methods
        first = run(candidate, case, calls, follow=plan.follow)
    again = rerun(candidate, case) if AGAIN in plan.probes else None
    looks = plan.untraced is Untraced.WHERE_HIDDEN and calls <= MOST_CALLS and hidden_calls(first)
    looks = looks or plan.untraced is Untraced.ALWAYS
    untraced = run_untraced(candidate, case, calls, follow=plan.follow) if looks else None
    if untraced and not candidate.arrays and _from_a_kept_trace(plan, first, untraced):
        forget_compiled()
        first = run(candidate, case, calls, follow=plan.follow)
        again = rerun(candidate, case) if AGAIN in plan.probes else None
    traces = looks and _needs_reports(candidate, first, untraced)
    strays = untraced is not None and not candidate.arrays and _strays(first, untraced)
    reported = run_reporting(candidate, case, calls, follow=plan.follow) if traces or strays else None
    base = Base(candidate, request, first, untraced, reported if traces or _as_clear(reported, untraced) else None)
    shifts: list[Intervention] = []
    if SHIFTS in plan.probes and not first.raised:
        shifts += on_arrays(base) if candidate.arrays else on_numbers(base)
    if OUTPUTS in plan.probes and not first.raised:
        shifts += on_outputs(base)
    if reported is None and not candidate.arrays and _drops(first, untraced, shifts):
        reported = run_reporting(candidate, case, calls, follow=plan.follow)
    candidate.classes.forget_dead()
    unseen = plan.bypass and calls > 0 and not base.run.calls and not first.raised and not candidate.arrays
    bypassed = unseen and _bypassed(candidate, case)
    other = _foreign(candidate, request, first)
    return Facts(first, again, untraced, tuple(shifts), base.ends(base.run), bypassed, "", other, reported)


def _watched(candidate: LoadedCandidate, request: Request) -> Facts:
    """One run, of which what its conditions compare is all that is asked."""
    with without_traces() if request.plan.untraced is Untraced.ALWAYS else nullcontext():
        first, watched = run_watched(candidate, request.case, request.calls)
    return Facts(first, None, None, (), (), False, "", watched=watched)


def _steps_within(candidate: LoadedCandidate, calls: int) -> bool:
    """Whether the modules that the last run called have called another one just as often as the case asks."""
    return calls > 0 and calls in candidate.classes.inner.values()


def _called_methods(candidate: LoadedCandidate, calls: int) -> frozenset[str]:
    """The method that changed a module just as often as the case asks, in place of its calls."""
    return frozenset(way for way, times in candidate.classes.methods.items() if times == calls > 0)


def hidden_calls(first: Run) -> bool:
    """Whether calls may have run where the spies do not see them: inside a trace, or from its cache."""
    traced = any(call.traced for call in first.calls) or bool(first.raised and first.raised.about_trace)
    calls = main_calls(first)
    return traced or len(calls) != first.asked or (bool(calls) and not moved(first, calls))


def _needs_reports(candidate: LoadedCandidate, first: Run, untraced: Run | None) -> bool:
    """Whether only the traces themselves can say what their calls do: without compilation it raises, or shows none."""
    if first.raised or untraced is None:
        return False
    if untraced.raised:
        return bool(first.modules)
    if candidate.arrays:
        return unread(untraced) or (not untraced.calls and bool(first.modules or untraced.modules))
    hides = any(call.traced for call in untraced.calls) or (not untraced.calls and bool(first.modules))
    return hides and len(main_calls(untraced)) != first.asked


def _strays(first: Run, untraced: Run) -> bool:
    """Whether a run without compilation comes to another result: then it does not speak for the run as it is."""
    return not first.raised and not untraced.raised and not speaks_for(untraced, first)


def _as_clear(reported: Run | None, untraced: Run | None) -> bool:
    """Whether the traces report as many calls of one module as there are without them."""
    return bool(reported and untraced and len(main_calls(reported)) >= len(main_calls(untraced)))


def _drops(first: Run, untraced: Run | None, shifts: Sequence[Intervention]) -> bool:
    """Whether traces may drop what calls write, and the result hides that: it does not follow the state."""
    made = [shift for shift in shifts if shift.applied and shift.changed is Changed.STATE]
    stays = any(not differs(shift.outcome, outcome(first)) for shift in made)
    return stays and untraced is not None and ends_otherwise(first, untraced)


def _from_a_kept_trace(plan: RunPlan, first: Run, untraced: Run) -> bool:
    """Whether the run went through what an earlier case has compiled, and must go without to show more."""
    if plan.follow and not untraced.raised and _another_count(outcome(untraced), outcome(first)):
        return True  # what is compiled already runs without the candidate's lines
    called = first.calls or first.raised or clearer(first, untraced) is untraced
    return plan.retrace and not called and bool(first.modules or untraced.modules)


def _another_count(some: Rerun, other: Rerun) -> bool:
    """Whether the first numbers of two results differ, as far as there are any."""
    a, b = some.result, other.result
    if a is None or b is None or a.array is None or b.array is None:
        return True
    return a.array.ravel()[:1].tobytes() != b.array.ravel()[:1].tobytes()


def _bypassed(candidate: LoadedCandidate, case: Case) -> bool:
    """Whether the candidate runs the `__call__` of one of its classes all the same, as a profiler sees.

    A reference to it was kept before the kit could wrap it. Only a Python object can have this,
    `step = nnx.jit(Counter.__call__)` in a module that was imported long before; a file is imported under the spies.
    """
    # By identity: code of the same text and line in another file is equal.
    codes = {id(code) for cls in candidate.classes if (code := _call_code(cls)) is not None}
    if not codes:
        return False
    entered: list[bool] = []

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and id(frame.f_code) in codes:
            entered.append(True)

    with jax.disable_jit(), profiling(profile), suppress(BaseException):  # how it ends is known already
        candidate.function(*[given_as(argument) for argument in case.arguments])
    return bool(entered)


def _call_code(cls: type) -> Any:
    function = next((vars(base)["__call__"] for base in cls.__mro__ if "__call__" in vars(base)), None)
    return getattr(function, "__code__", None)


def _foreign(candidate: LoadedCandidate, request: Request, first: Run) -> str:
    """The base class of the first module of another framework, looked for where there is none of NNX."""
    modules = first.modules
    if not modules and not candidate.arrays:
        modules = run(candidate, request.case, request.calls, frameworks=True).modules
    return next((FOREIGN[module.framework] for module in modules if module.framework in FOREIGN), "")
