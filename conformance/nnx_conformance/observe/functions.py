"""Loads and observes candidates that are functions. Only the candidate's process imports this."""

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

#: Cases of more calls are not run without traces: a loop that is instant when compiled may take a minute then.
MOST_CALLS = 200
#: The base classes of the modules of other frameworks.
FOREIGN = {"linen": "flax.linen.Module", "torch": "torch.nn.Module"}


def observe(candidate: LoadedCandidate, request: Request) -> Facts:
    """Make the runs of a request's plan. The caller captures the streams, and adds the output to the facts."""
    case, calls, plan = request.case, request.calls, request.plan
    if plan.watch:
        return _watched(candidate, request)
    if plan.compile_anew:
        forget_compiled()
    torch = is_imported()
    candidate.classes.passing = candidate.classes.called = frozenset()
    plain = run(candidate, case, calls, follow=plan.follow)
    if candidate.arrays and is_imported() != torch:  # the run imported PyTorch, so the spies on it were missing
        plain = run(candidate, case, calls, follow=plan.follow)
    if candidate.arrays and _steps_within(candidate, calls) and len(main_calls(plain)) != calls:
        candidate.classes.passing = frozenset(candidate.classes.outer)
        plain = run(candidate, case, calls, follow=plan.follow)
    if not plain.calls and (methods := _called_methods(candidate, calls)):
        candidate.classes.called = methods
        plain = run(candidate, case, calls, follow=plan.follow)
    again = rerun(candidate, case) if AGAIN in plan.probes else None
    without = plan.untraced is Untraced.WHERE_HIDDEN and calls <= MOST_CALLS and hidden_calls(plain)
    without = without or plan.untraced is Untraced.ALWAYS
    untraced = run_untraced(candidate, case, calls, follow=plan.follow) if without else None
    if untraced and not candidate.arrays and _from_a_kept_trace(plan, plain, untraced):
        forget_compiled()
        plain = run(candidate, case, calls, follow=plan.follow)
        again = rerun(candidate, case) if AGAIN in plan.probes else None
    hides = without and _needs_reports(candidate, plain, untraced)
    disagrees = untraced is not None and not candidate.arrays and _disagrees(plain, untraced)
    reported = run_reporting(candidate, case, calls, follow=plan.follow) if hides or disagrees else None
    base = Base(candidate, request, plain, untraced, reported if hides or _as_clear(reported, untraced) else None)
    shifts: list[Intervention] = []
    if SHIFTS in plan.probes and not plain.raised:
        shifts += on_arrays(base) if candidate.arrays else on_numbers(base)
    if OUTPUTS in plan.probes and not plain.raised:
        shifts += on_outputs(base)
    if reported is None and not candidate.arrays and _drops(plain, untraced, shifts):
        reported = run_reporting(candidate, case, calls, follow=plan.follow)
    candidate.classes.forget_dead()
    no_call = plan.bypass and calls > 0 and not base.run.calls and not plain.raised and not candidate.arrays
    bypassed = no_call and _bypassed(candidate, case)
    foreign = _foreign(candidate, request, plain)
    return Facts(plain, again, untraced, tuple(shifts), base.ends(base.run), bypassed, "", foreign, reported)


def _watched(candidate: LoadedCandidate, request: Request) -> Facts:
    """A single run that records what the conditions compare."""
    with without_traces() if request.plan.untraced is Untraced.ALWAYS else nullcontext():
        plain, watched = run_watched(candidate, request.case, request.calls)
    return Facts(plain, None, None, (), (), False, "", watched=watched)


def _steps_within(candidate: LoadedCandidate, calls: int) -> bool:
    """Whether the modules called in the last run called inner ones exactly as often as the case asks."""
    return calls > 0 and calls in candidate.classes.inner.values()


def _called_methods(candidate: LoadedCandidate, calls: int) -> frozenset[str]:
    """The methods that changed a module exactly as often as the case asks: they stand for its calls."""
    return frozenset(name for name, times in candidate.classes.methods.items() if times == calls > 0)


def hidden_calls(plain: Run) -> bool:
    """Whether calls may have run unseen by the spies: inside a trace, or from JAX's cache."""
    traced = any(call.traced for call in plain.calls) or bool(plain.raised and plain.raised.about_trace)
    calls = main_calls(plain)
    return traced or len(calls) != plain.requested_calls or (bool(calls) and not moved(plain, calls))


def _needs_reports(candidate: LoadedCandidate, plain: Run, untraced: Run | None) -> bool:
    """Whether only reporting traces can show the calls: the run without traces raises, or hides them too."""
    if plain.raised or untraced is None:
        return False
    if untraced.raised:
        return bool(plain.modules)
    if candidate.arrays:
        return unread(untraced) or (not untraced.calls and bool(plain.modules or untraced.modules))
    hides = any(call.traced for call in untraced.calls) or (not untraced.calls and bool(plain.modules))
    return hides and len(main_calls(untraced)) != plain.requested_calls


def _disagrees(plain: Run, untraced: Run) -> bool:
    """Whether the run without traces returns another result, so that it says nothing about the plain one."""
    return not plain.raised and not untraced.raised and not speaks_for(untraced, plain)


def _as_clear(reported: Run | None, untraced: Run | None) -> bool:
    """Whether the reporting run shows as many main calls as the run without traces."""
    return bool(reported and untraced and len(main_calls(reported)) >= len(main_calls(untraced)))


def _drops(plain: Run, untraced: Run | None, shifts: Sequence[Intervention]) -> bool:
    """Whether traces may drop what calls write while the result hides it, because it does not follow the state."""
    applied = [shift for shift in shifts if shift.applied and shift.changed is Changed.STATE]
    ignored = any(not differs(shift.outcome, outcome(plain)) for shift in applied)
    return ignored and untraced is not None and ends_otherwise(plain, untraced)


def _from_a_kept_trace(plan: RunPlan, plain: Run, untraced: Run) -> bool:
    """Whether the plain run used code that an earlier case compiled, and JAX must compile again to show its calls."""
    if plan.follow and not untraced.raised and _another_count(outcome(untraced), outcome(plain)):
        return True  # compiled code runs without the candidate's lines
    called = plain.calls or plain.raised or clearer(plain, untraced) is untraced
    return plan.retrace and not called and bool(plain.modules or untraced.modules)


def _another_count(some: Rerun, other: Rerun) -> bool:
    """Whether the first numbers of two results differ, or a result has none."""
    a, b = some.result, other.result
    if a is None or b is None or a.array is None or b.array is None:
        return True
    return a.array.ravel()[:1].tobytes() != b.array.ravel()[:1].tobytes()


def _bypassed(candidate: LoadedCandidate, case: Case) -> bool:
    """Whether a profiler sees the candidate run the `__call__` of one of its classes, which the spies did not see.

    Then it kept a reference from before we wrapped it, such as `step = nnx.jit(Counter.__call__)`. Only a Python object
    can, because a file is imported under the spies.
    """
    # By identity, because code of the same text and line in another file is equal.
    codes = {id(code) for cls in candidate.classes if (code := _call_code(cls)) is not None}
    if not codes:
        return False
    entered: list[bool] = []

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and id(frame.f_code) in codes:
            entered.append(True)

    with jax.disable_jit(), profiling(profile), suppress(BaseException):  # the plain run has recorded its outcome
        candidate.function(*[given_as(argument) for argument in case.arguments])
    return bool(entered)


def _call_code(cls: type) -> Any:
    function = next((vars(base)["__call__"] for base in cls.__mro__ if "__call__" in vars(base)), None)
    return getattr(function, "__code__", None)


def _foreign(candidate: LoadedCandidate, request: Request, plain: Run) -> str:
    """The base class of the first module of another framework, if the run made no NNX module."""
    modules = plain.modules
    if not modules and not candidate.arrays:
        modules = run(candidate, request.case, request.calls, frameworks=True).modules
    return next((FOREIGN[module.framework] for module in modules if module.framework in FOREIGN), "")
