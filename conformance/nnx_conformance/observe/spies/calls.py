"""The spy on module calls: it wraps `__call__` of classes, and methods that stand for calls, for one run."""

from __future__ import annotations

import functools
import types
from typing import Any

from flax import nnx

from nnx_conformance.core.facts import Call
from nnx_conformance.observe.flax_versions import is_about_trace, is_jit_disabled, is_tracer, primal
from nnx_conformance.observe.log import RunLog
from nnx_conformance.observe.spies.classes import CallWatch, Classes
from nnx_conformance.observe.spies.guards import unguarded
from nnx_conformance.observe.spies.patches import Patches
from nnx_conformance.observe.spies.reported import TracedCall, report
from nnx_conformance.observe.spies.transforms import NOWHERE, around, entered

#: The attribute that marks a wrapped function. Its value is that function: `functools.wraps` copies attributes, so that
#: another function may have the attribute, too.
WRAPPED = "_nnx_conformance"


def watch_calls(patches: Patches, classes: Classes, log: RunLog, cls: type) -> None:
    """Wrap the `__call__` of this class's instances, unless it is wrapped already."""
    if log.layouts.arrays is not None:
        _watch_methods(patches, classes, log, cls)
    owner = next((base for base in cls.__mro__ if "__call__" in vars(base)), None)
    original: Any = vars(owner)["__call__"] if owner else None
    if owner is None or getattr(original, WRAPPED, None) is original:
        return

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        binds = hasattr(original, "__get__")
        bound = original.__get__(self, type(self)) if binds else functools.partial(original, self)
        watch = classes.watch
        if watch is None or watch.log.depth.constructing or not isinstance(self, nnx.Module):
            return bound(*args, **kwargs)
        name = type(self).__qualname__
        if watch.log.depth.calling or name in classes.passing:
            classes.inner[name] += watch.log.depth.calling
            return bound(*args, **kwargs)
        classes.outer.add(name)
        return _recorded_call(watch, classes, self, bound, args, kwargs)

    functools.update_wrapper(__call__, original, updated=())
    setattr(__call__, WRAPPED, __call__)
    patches.replace(owner, "__call__", __call__)


def _watch_methods(patches: Patches, classes: Classes, log: RunLog, cls: type) -> None:
    """Count how often methods of the candidate change a module; record those in `classes.called` as its calls."""
    for name, method in list(vars(cls).items()):
        own = isinstance(method, types.FunctionType) and log.source.owns(method.__code__.co_filename)
        if own and not name.startswith("_") and getattr(method, WRAPPED, None) is not method:
            patches.replace(cls, name, _method(classes, method, f"{cls.__qualname__}.{name}"))


def _method(classes: Classes, original: Any, qualified_name: str) -> Any:
    @functools.wraps(original, updated=())
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        bound, watch = functools.partial(original, self), classes.watch
        depth = watch.log.depth if watch else None
        if watch is None or depth is None or depth.constructing or depth.calling or not isinstance(self, nnx.Module):
            return bound(*args, **kwargs)
        if qualified_name in classes.called:
            return _recorded_call(watch, classes, self, bound, args, kwargs)
        snapshot = functools.partial(watch.log.layouts.snapshot, self, primal)
        with unguarded():
            before = snapshot()
        output = bound(*args, **kwargs)
        with unguarded():
            classes.methods[qualified_name] += snapshot() != before
        return output

    setattr(method, WRAPPED, method)
    return method


def _recorded_call(watch: CallWatch, classes: Classes, self: Any, bound: Any, args: Any, kwargs: Any) -> Any:
    log, line = watch.log, watch.log.source.caller()
    read = functools.partial(log.layouts.read, self, primal)
    with unguarded():
        module = log.module(self, constructed=False, created=not classes.knows(self), line=line)
        first_state = read()
        before = log.layouts.put(*first_state)
    log.depth.calling += 1
    output, finished, across = None, False, False
    disabled = is_jit_disabled()
    concrete = not (before.traced or disabled or _any_tracer((args, kwargs)))
    within: list[str] = []
    try:
        snapshot = functools.partial(log.layouts.snapshot, self, primal)
        with entered(snapshot if concrete and log.layouts.arrays is not None else None) as within:
            output = bound(*args, **kwargs)
        finished = True
    except Exception as error:
        across = is_about_trace(error, frozenset(log.class_names))
        raise
    finally:
        log.depth.calling -= 1
        with unguarded():
            last_state = read()
            state = log.layouts.put(*last_state)
            traced = bool(before.traced or state.traced) or _any_tracer((args, kwargs, output))
            returned = log.value(output) if finished else None
        steps = log.trail.called(output) if log.trail else None
        place = around(log.source, log.uses) if traced or disabled else NOWHERE
        uncompiled = disabled and not log.uncompiled
        after = state if finished else None
        as_given = finished and bool(args) and output is args[0]
        facts = {**vars(place), "as_given": as_given, "within": tuple(within), "uncompiled": uncompiled}
        call = Call(module, line, traced, across, before, after, returned, **facts)
        reports = traced and finished and log.reporting
        if not reports:
            log.called(call, steps)
    if reports and log.depth.exporting:
        return output
    if reports:
        logged = log.modules[module]
        traced_call = TracedCall(call, logged.name, logged.created, first_state, last_state, output, steps)
        return report(log, traced_call, self, watch.after_call)
    if watch.after_call is None or (traced and not watch.in_traces):
        return output
    number = sum(watch.in_traces or not call.traced for call in log.calls)
    with unguarded():
        return watch.after_call(self, number, output)


def _any_tracer(values: Any) -> bool:
    if isinstance(values, dict):
        values = tuple(values.values())
    if isinstance(values, (tuple, list)):
        return any(map(_any_tracer, values))
    return is_tracer(primal(values))
