"""The check of state that crosses traces, pitfall 2 of the exercise."""

from __future__ import annotations

from collections.abc import Iterator

from nnx_conformance.contracts import blame, claims
from nnx_conformance.contracts.counter.reading import CounterReading, a_variable
from nnx_conformance.contracts.reading import TRACED, unless
from nnx_conformance.contracts.wording import number_text
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, same_numbers
from nnx_conformance.core.contract import MUST, Judgement, Unmet, Violation, check
from nnx_conformance.core.facts import Line, Module, Raised, Run, Slot, Snapshot
from nnx_conformance.core.plain_text import short
from nnx_conformance.core.timeline import main_calls, numbers


def _count_judgeable(reading: CounterReading) -> Unmet:
    """Need: the run returned, and its count is right if a trace hides its calls."""
    right = reading.pair is not None and reading.pair[0] == reading.requested_calls
    return reading.unjudgeable if reading.run.raised or (reading.uninspected and not right) else None


def _across_traces(reading: CounterReading) -> Violation | None:
    """The violation of state that crossed a trace; None if nothing shows that."""
    run = reading.run
    if run.raised and run.raised.about_trace:
        return _raised(run.raised, blame.entered(run))
    caught = [call.line for call in run.calls if call.across]
    if caught and not run.raised and len(main_calls(run)) != reading.requested_calls:
        return Violation(
            "a call changed a Variable from outside its trace; the candidate caught what that raised",
            "the state changes outside of traces",
            "an exception that was caught",
            line=blame.entered(run) or caught[0],
            cause="a Variable from outside a trace was changed inside it",
        )
    if leaked := _leaked(run):
        return Violation(
            f"a tracer was left in a Variable of {leaked.name}",
            "a concrete array",
            "tracer",
            line=_traced_line(reading),
            cause="the Variable was written inside a trace that did not own it",
        )
    return _lost(reading) if reading.lost_in_trace else None


def _concrete(_: Case, reading: CounterReading) -> Iterator[Claim]:
    """The claims that Variables made outside of traces hold no tracer, and that traces do not change the count."""
    run = reading.run
    if run.raised:
        yield claims.returns(run)
        return
    if any(call.across for call in run.calls):  # the candidate caught what that raised
        yield same_numbers(len(main_calls(run)), reading.requested_calls)
    for module in run.modules:
        if module.start and module.end and not module.start.traced:
            paths = [(slot.path, position in module.end.traced) for position, slot in _variables(run, module.end)]
            actual = (f"{path}: {'a tracer' if traced else 'concrete'}" for path, traced in paths)
            yield Claim(tuple(actual), tuple(f"{path}: concrete" for path, _ in paths))
    if reading.reports is not None and reading.facts.untraced is not None:
        yield same_numbers(reading.dropped, False)
    if reading.pair is not None and (kept := reading.kept_without_traces) is not None:
        yield same_numbers(reading.pair[0], kept)


def _variables(run: Run, snapshot: Snapshot) -> list[tuple[int, Slot]]:
    return [(position, slot) for position, slot in enumerate(run.layouts[snapshot.layout]) if slot.variable]


@check(
    id=TRACED,
    level=MUST,
    requirement="No Variable holds a tracer after a step, and plain `jax.jit` loses no update.",
    remedy="Call the model in plain Python. Where a step must be compiled, `nnx.jit` carries the state in and out; "
    "with plain `jax.jit`, split the model, return its state from the step and put it back.",
    wrong="step = jax.jit(lambda x: model(x))\nlast_x = step(x)",
    right="last_x = model(x)",
    needs=(unless(_across_traces, _count_judgeable, a_variable),),
    claims=_concrete,
)
def no_traced_mutation(_: Case, reading: CounterReading) -> Judgement:
    return _across_traces(reading)


def _raised(raised: Raised, entered: Line | None) -> Violation:
    message = short(raised.message.strip().partition("\n")[0])
    where = f" ({raised.line})" if entered and raised.line and raised.line != entered else ""
    return Violation(
        f"the candidate raised {raised.type}: {message}",
        "the state changes outside of traces",
        raised.type,
        line=entered or raised.line,
        cause="a module was given to a plain JAX transform, which does not know its state"
        if raised.type == "TypeError"
        else f"a Variable from outside a trace was changed inside it{where}",
    )


def _leaked(run: Run) -> Module | None:
    """A module that was concrete at first and ended with a tracer in it."""
    for module in run.modules:
        end = module.end if module.start and not module.start.traced else None
        if end and any(position in end.traced for position, _ in _variables(run, end)):
            return module
    return None


def _lost(reading: CounterReading) -> Violation:
    if reading.dropped and reading.pair is not None and reading.pair[0] == reading.requested_calls:
        return _dropped(reading)
    now = number_text(float(reading.pair[0])) if reading.pair is not None else "nothing"
    then = number_text(float(reading.untraced_pair[0])) if reading.untraced_pair is not None else now
    without = f", and {then} with jit switched off" if then != now else ""
    return Violation(
        f"result[0] is {now} after n_calls={reading.requested_calls}{without}: the updates were lost in a trace",
        str(reading.requested_calls),
        now,
        line=_traced_line(reading),
        cause="a plain JAX transform updates a copy of the module, and the copy's state is dropped",
    )


def began_with(run: Run) -> str:
    """A phrase for the state with which calls that start over begin."""
    counts = numbers(run, main_calls(run)[-1].before).items()
    return ", ".join(f"`{path}` at {number_text(number)}" for path, number in counts)


def _dropped(reading: CounterReading) -> Violation:
    """The violation of updates that are lost though the result is right."""
    assert reading.reports is not None
    began = began_with(reading.reports)
    return Violation(
        f"each of {reading.requested_calls} compiled calls starts with {began}: what the one before it wrote is lost",
        "each call starts where the one before it ended",
        "each call starts over",
        line=_traced_line(reading),
        cause="a plain JAX transform updates a copy of the module, and the copy's state is dropped",
    )


def _traced_line(reading: CounterReading) -> Line | None:
    """The line of a call inside a trace; the plain run does not show it if the trace is cached."""
    if entered := blame.entered(*reading.runs):
        return entered
    traced = [call.line for call in reading.run.calls if call.traced]
    untraced = [call.line for call in reading.facts.untraced.calls] if reading.facts.untraced else []
    return next(iter(traced + untraced), None)
