"""Running a candidate on a case, under the spies, to a run: one exception boundary, everything else is a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nnx_conformance.case import Argument, Case
from nnx_conformance.classes import AfterCall, AfterConstruction, Classes
from nnx_conformance.observation import Left, Outcome, Raised, Run, Thing
from nnx_conformance.record import Record, as_thing
from nnx_conformance.source import Source
from nnx_conformance.spies import spying


@dataclass(eq=False)
class Candidate:
    """An implementation under test, loaded: what to call, and which files are its own.

    Attributes:
        traces: whether it was seen to call its module inside a trace.
    """

    name: str
    function: Callable[..., Any]
    source: Source
    classes: Classes
    traces: bool = False


def run(
    candidate: Candidate,
    case: Case,
    asked: int,
    *,
    after_construction: AfterConstruction | None = None,
    after_call: AfterCall | None = None,
) -> Run:
    """Call the candidate once, and tell what happened."""
    record = Record(candidate.source)
    given = [given_as(argument) for argument in case.arguments]
    with spying(record, candidate.classes, after_construction=after_construction, after_call=after_call):
        result, raised = _call(candidate, record, given)
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
    )


def run_untraced(candidate: Candidate, case: Case, asked: int, **hooks: Any) -> Run:
    """The same under `jax.disable_jit`: transforms run their function call by call, so every call can be seen."""
    with jax.disable_jit():
        return run(candidate, case, asked, **hooks)


def outcome(of: Run) -> Outcome:
    """What a run came to."""
    return Outcome(of.result, of.raised)


def given_as(argument: Argument) -> Any:
    """An argument as the candidate gets it. Arrays are copies: on older JAX `jnp.asarray` may alias its source."""
    if argument.holder == "python":
        return argument.data.item()
    if argument.holder == "numpy":
        return np.array(argument.data)[()]
    with jax.debug_nans(False), jax.debug_infs(False):  # a candidate may have turned them on
        return jnp.array(np.array(argument.data))


def _call(candidate: Candidate, record: Record, given: Sequence[Any]) -> tuple[Thing | None, Raised | None]:
    try:
        return as_thing(candidate.function(*given)), None
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt are the candidate's too
        return None, candidate.source.raised(error, frozenset(record.class_names))


def _left(argument: Argument, given: Any) -> Left:
    if not isinstance(given, jax.Array):
        return Left(argument.name, True, np.array(given))
    alive = not given.is_deleted()
    return Left(argument.name, alive, np.array(given) if alive else None)
