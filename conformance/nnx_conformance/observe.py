"""Running a candidate on a case, under the spies, to a run: one exception boundary, everything else is a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from nnx_conformance.case import Argument, Case
from nnx_conformance.classes import AfterCall, AfterConstruction, Classes
from nnx_conformance.graph import Arrays, Layouts, on_device
from nnx_conformance.kept import kept
from nnx_conformance.observation import Left, Outcome, Raised, Run, Thing
from nnx_conformance.record import Record, as_thing
from nnx_conformance.source import Source
from nnx_conformance.spies import glancing, spying
from nnx_conformance.trail import Trail
from nnx_conformance.watched import follower as following

#: Writes down what another framework does while a block runs; may intervene after a call.
Spy = Callable[[Record, AfterCall | None], AbstractContextManager[None]]


@dataclass(eq=False)
class Candidate:
    """An implementation under test, loaded: what to call, and which files are its own.

    Attributes:
        traces: whether a run without traces showed calls that a trace hides.
        traced: whether a call of its module was seen inside a trace.
        fruitless: how many runs without traces showed no more than the plain ones.
        arrays: whether arrays of the state are kept, and not only single numbers.
        further: spies on other frameworks, each a context manager for one run.
    """

    name: str
    function: Callable[..., Any]
    source: Source
    classes: Classes
    traces: bool = False
    traced: bool = False
    fruitless: int = 0
    arrays: bool = False
    further: tuple[Spy, ...] = ()


def run(
    candidate: Candidate,
    case: Case,
    asked: int,
    *,
    follow: bool = False,
    after_construction: AfterConstruction | None = None,
    after_call: AfterCall | None = None,
    in_traces: bool = False,
) -> Run:
    """Call the candidate once, and tell what happened; `follow` it line by line to tell where.

    `after_call` may intervene after concrete calls, and after traced ones too if `in_traces`.
    """
    arrays = Arrays() if candidate.arrays else None
    record = Record(candidate.source, Layouts(arrays))
    given = [given_as(argument) for argument in case.arguments]
    with ExitStack() as watched:
        hooks: dict[str, Any] = {"after_construction": after_construction, "after_call": after_call}
        watched.enter_context(spying(record, candidate.classes, in_traces=in_traces, **hooks))
        for spy in candidate.further:
            watched.enter_context(spy(record, after_call))
        if follow:
            names = [argument.name for argument in case.arguments]
            following(record, names, given, kept(candidate.function, candidate.source))
        result, raised, trail = _call(candidate, record, given)
        facts = record.module_facts()
    return Run(
        asked=asked,
        result=result,
        raised=raised,
        modules=facts,
        calls=tuple(record.calls),
        layouts=record.layouts.all(),
        returns=tuple(record.things),
        writes=tuple(record.writes.values()),
        rngs=record.built(),
        warnings=tuple(record.warnings.values()),
        arguments=tuple(map(_left, case.arguments, given)),
        trail=trail,
        arrays=arrays.all() if arrays else (),
    )


def run_untraced(candidate: Candidate, case: Case, asked: int, **hooks: Any) -> Run:
    """The same under `jax.disable_jit`: transforms run their function call by call, so every call can be seen."""
    with jax.disable_jit():
        return run(candidate, case, asked, **hooks)


def rerun(candidate: Candidate, case: Case) -> Outcome:
    """What calling the candidate once more comes to; how it gets there is not looked into."""
    record = Record(candidate.source)
    with glancing(record, candidate.classes):
        result, raised, _ = _call(candidate, record, [given_as(argument) for argument in case.arguments])
    return Outcome(result, raised)


def outcome(of: Run) -> Outcome:
    """What a run came to."""
    return Outcome(of.result, of.raised)


def given_as(argument: Argument) -> Any:
    """An argument as the candidate gets it. Arrays are copies: JAX may alias what it is given."""
    if argument.holder == "python":
        return argument.data.item()
    if argument.holder == "numpy":
        return np.array(argument.data)[()]
    return on_device(np.array(argument.data))


def _call(
    candidate: Candidate, record: Record, given: Sequence[Any]
) -> tuple[Thing | None, Raised | None, Trail | None]:
    follower = record.follower
    try:
        with follower.following() if follower else nullcontext():
            result = candidate.function(*given)
        return as_thing(result), None, follower.trail(result) if follower else None
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt are the candidate's too
        raised = candidate.source.raised(error, frozenset(record.class_names))
        return None, raised, follower.trail(None) if follower else None


def _left(argument: Argument, given: Any) -> Left:
    if not isinstance(given, jax.Array):
        return Left(argument.name, True, np.array(given))
    alive = not given.is_deleted()
    return Left(argument.name, alive, np.array(given) if alive else None)
