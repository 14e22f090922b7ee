"""Running a candidate on a case under the spies. All exceptions of the candidate are caught here and become facts."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from nnx_conformance.core.case import Argument, Case
from nnx_conformance.core.facts import ArgumentAfter, Raised, Rerun, Run, Value
from nnx_conformance.core.search.conditions import Watched
from nnx_conformance.core.trail import Trail
from nnx_conformance.observe.conditions.watching import Watching, watching
from nnx_conformance.observe.flax_versions import is_jit_disabled
from nnx_conformance.observe.frameworks import linen, pytorch
from nnx_conformance.observe.frameworks.tensors import is_imported
from nnx_conformance.observe.graph import on_device
from nnx_conformance.observe.layouts import Arrays, Layouts
from nnx_conformance.observe.lines.outliving import outliving
from nnx_conformance.observe.lines.trail import TrailLog
from nnx_conformance.observe.log import RunLog, as_value
from nnx_conformance.observe.source import Source
from nnx_conformance.observe.spies.classes import AfterCall, AfterConstruction, Classes
from nnx_conformance.observe.spies.guards import unguarded
from nnx_conformance.observe.spies.spying import glancing, spying


@dataclass(eq=False)
class LoadedCandidate:
    """A loaded candidate: its function, its files, and the module classes that it uses.

    Attributes:
        arrays: whether to record its state as arrays, of modules of any framework, instead of single numbers of NNX.
        anew: a context manager that imports it once more, so that nothing is compiled yet; None for a Python object.
        watching: its rewritten functions; None until its conditions are first watched.
    """

    name: str
    function: Callable[..., Any]
    source: Source
    classes: Classes
    arrays: bool = False
    anew: Callable[[], AbstractContextManager[tuple[Callable[..., Any], Classes]]] | None = None
    watching: Watching | None = None


def run(
    candidate: LoadedCandidate,
    case: Case,
    requested_calls: int,
    *,
    follow: bool = False,
    frameworks: bool = False,
    after_construction: AfterConstruction | None = None,
    after_call: AfterCall | None = None,
    in_traces: bool = False,
    reporting: bool = False,
) -> Run:
    """Call the candidate once and record what happens.

    Args:
        requested_calls: how many calls of its module the case asks for.
        follow: whether to follow it line by line.
        frameworks: whether to watch modules of Linen and PyTorch, too.
        after_construction, after_call: hooks that may intervene. `after_call` runs after concrete calls.
        in_traces: whether `after_call` also runs after traced calls.
        reporting: whether traced calls are recorded, and `after_call` runs, when their trace runs.
    """
    arrays = Arrays() if candidate.arrays else None
    log = RunLog(candidate.source, Layouts(arrays), reporting=reporting)
    passed = _passed(case)
    with ExitStack() as spies:
        hooks: dict[str, Any] = {"after_construction": after_construction, "after_call": after_call}
        spies.enter_context(spying(log, candidate.classes, in_traces=in_traces, **hooks))
        if frameworks or candidate.arrays:
            spies.enter_context(linen.spying(log, after_call))
            if is_imported():  # importing PyTorch takes seconds
                spies.enter_context(pytorch.spying(log, after_call, candidate.classes))
        if follow:
            names = [argument.name for argument in case.arguments]
            outlives = outliving(candidate.function, candidate.source)
            log.trail = TrailLog(log, dict(zip(names, passed, strict=True)), outlives)
        result, raised, trail = _call(candidate, log, passed)
        with unguarded():
            modules = log.module_facts()
    log.ended = True
    return Run(
        requested_calls=requested_calls,
        result=result,
        raised=raised,
        modules=modules,
        calls=tuple(log.calls),
        layouts=log.layouts.all(),
        returns=tuple(log.values),
        writes=tuple(log.writes.values()),
        rngs=log.built(),
        warnings=tuple(log.warnings.values()),
        arguments=tuple(map(_argument_after, case.arguments, passed)),
        trail=trail,
        arrays=arrays.all() if arrays else (),
    )


def run_untraced(candidate: LoadedCandidate, case: Case, requested_calls: int, **hooks: Any) -> Run:
    """A run under `jax.disable_jit`: transforms run their function call by call, so the spies see every call."""
    with without_traces():
        return run(candidate, case, requested_calls, **hooks)


@contextlib.contextmanager
def without_traces() -> Iterator[None]:
    """Disable compilation in all threads while the block runs; `with jax.disable_jit()` applies to one thread only."""
    before = is_jit_disabled()
    jax.config.update("jax_disable_jit", True)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        jax.config.update("jax_disable_jit", before)  # type: ignore[no-untyped-call]


def run_reporting(candidate: LoadedCandidate, case: Case, requested_calls: int, **hooks: Any) -> Run:
    """A run that traces everything again, with calls that report themselves whenever their trace runs.

    What it compiles is dropped afterwards, so that no later run reports.
    """
    if candidate.anew is not None:  # a new import keeps JAX's caches, and uses nothing compiled ahead of time
        with candidate.anew() as (function, classes):
            classes.passing, classes.called = candidate.classes.passing, candidate.classes.called
            anew = dataclasses.replace(candidate, function=function, classes=classes)
            return run(anew, case, requested_calls, reporting=True, **hooks)
    forget_compiled()
    try:
        return run(candidate, case, requested_calls, reporting=True, **hooks)
    finally:
        forget_compiled()


def rerun(candidate: LoadedCandidate, case: Case) -> Rerun:
    """The outcome of calling the candidate once more, without recording the calls."""
    log = RunLog(candidate.source)
    with glancing(log, candidate.classes):
        result, raised, _ = _call(candidate, log, _passed(case))
    return Rerun(result, raised)


def run_watched(candidate: LoadedCandidate, case: Case, requested_calls: int) -> tuple[Run, Watched]:
    """A run without spies, and what the candidate's conditions compared in it."""
    candidate.watching = candidate.watching or watching(candidate.source)
    log, passed = RunLog(candidate.source), _passed(case)
    with candidate.watching.recording() as recorder, glancing(log, candidate.classes):
        result, raised, _ = _call(candidate, log, passed)
    arguments = tuple(map(_argument_after, case.arguments, passed))
    plain = Run(requested_calls, result, raised, (), (), (), (), (), (), (), arguments)
    return plain, candidate.watching.watched(recorder)


def outcome(run: Run) -> Rerun:
    """The outcome of a run."""
    return Rerun(run.result, run.raised)


def _passed(case: Case) -> list[Any]:
    with unguarded():
        return [given_as(argument) for argument in case.arguments]


def given_as(argument: Argument) -> Any:
    """An argument as the candidate gets it. Arrays are copies, because JAX may alias a NumPy buffer."""
    if argument.holder == "python":
        return argument.data.item()
    if argument.holder == "numpy":
        return np.array(argument.data)[()]
    return on_device(np.array(argument.data))


def forget_compiled() -> None:
    """Clear JAX's caches."""
    jax.clear_caches()  # type: ignore[no-untyped-call]


def _call(
    candidate: LoadedCandidate, log: RunLog, passed: Sequence[Any]
) -> tuple[Value | None, Raised | None, Trail | None]:
    trail = log.trail
    try:
        with trail.following() if trail else nullcontext():
            result = candidate.function(*passed)
            if log.reporting:
                jax.effects_barrier()  # type: ignore[no-untyped-call]
        with unguarded():
            value = as_value(result)
        return value, None, trail.trail(result) if trail else None
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt are the candidate's too
        raised = candidate.source.raised(error, frozenset(log.class_names))
        return None, raised, trail.trail(None) if trail else None


@unguarded()
def _argument_after(argument: Argument, value: Any) -> ArgumentAfter:
    if not isinstance(value, jax.Array):
        return ArgumentAfter(argument.name, True, np.array(value))
    alive = not value.is_deleted()
    return ArgumentAfter(argument.name, alive, np.array(value) if alive else None)
