"""Spies on public seams, for one run: construction, calls and attribute writes of modules, Variables, Rngs, warnings.

The seams, the same on Flax 0.8.5 to 0.12.12: the call of the metaclass of `nnx.Module` (construction, whole, whatever
defines `__init__`), `__call__` of the classes that the candidate uses, `__setattr__` of `nnx.Module`, the assignments
of `nnx.Variable`, and `nnx.Rngs.__init__`. A cached `nnx.jit` call passes through none of them: what hooks miss is read
from the state before and after. `spying` puts everything back when it ends.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flax import nnx

from nnx_conformance.classes import AfterCall, AfterConstruction, Classes, Watch
from nnx_conformance.flax_versions import is_about_trace, is_jit_disabled, is_tracer, primal, rng_counts
from nnx_conformance.graph import type_name
from nnx_conformance.observation import Call, Warned, Write
from nnx_conformance.patches import Patches
from nnx_conformance.record import Record, seed_words
from nnx_conformance.source import stores_augmented
from nnx_conformance.transforms import NOWHERE, around, entered

IN_PLACE = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift", "and", "xor", "or")


#: The attribute by which a `__call__` that the spies have wrapped is known: it holds itself.
WRAPPED = "_nnx_conformance"


@contextmanager
def spying(
    record: Record,
    classes: Classes,
    *,
    after_construction: AfterConstruction | None = None,
    after_call: AfterCall | None = None,
    in_traces: bool = False,
) -> Iterator[None]:
    """Write down in `record` what happens until the block ends; the hooks may intervene, `in_traces` too if asked."""
    with Patches() as patches, warnings.catch_warnings():
        _watch_warnings(record)
        watch_class = functools.partial(_watch_class, patches, classes)
        for known in classes:
            watch_class(known)
        _watch_construction(patches, record, watch_class, after_construction)
        if after_construction is None and after_call is None:  # of an intervention, only what comes of it is told
            _watch_attributes(patches, record)
            _watch_variables(patches, record)
            _watch_rngs(patches, record)
        classes.watch = Watch(record, after_call, in_traces)
        try:
            yield
        finally:
            classes.watch = None
    _learn_modules(record, classes)


@contextmanager
def glancing(record: Record, classes: Classes) -> Iterator[None]:
    """Learn which modules come to be until the block ends, so that later runs know them, and nothing else."""
    with Patches() as patches, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _watch_construction(patches, record, lambda _: None, None)
        yield
    _learn_modules(record, classes)


def _learn_modules(record: Record, classes: Classes) -> None:
    for seen in record.modules:
        if seen.instance is not None:
            classes.learn(seen.instance)


def _watch_construction(
    patches: Patches, record: Record, watch_class: Callable[[type], None], after: AfterConstruction | None
) -> None:
    meta = type(nnx.Module)
    original = meta.__call__

    def construct(cls: Any, *args: Any, **kwargs: Any) -> Any:
        watch_class(cls)
        record.class_names.add(cls.__name__)
        outermost, before = record.constructing == 0, record.counts()
        record.constructing += 1
        try:
            instance = original(cls, *args, **kwargs)
        finally:
            record.constructing -= 1
        if outermost:
            _note_draws(record, before)
            _note_constructed(record, instance, after)
        return instance

    patches.replace(meta, "__call__", construct)
    _watch_classes(patches, meta, watch_class)


def _watch_classes(patches: Patches, meta: Any, watch_class: Callable[[type], None]) -> None:
    """A class may be given another `__call__` when instances of it are there already."""
    original = meta.__setattr__

    def __setattr__(cls: Any, name: str, value: Any) -> None:
        original(cls, name, value)
        if name == "__call__":
            watch_class(cls)

    patches.replace(meta, "__setattr__", __setattr__)
    defined = nnx.Module.__init_subclass__.__func__  # type: ignore[attr-defined]

    def __init_subclass__(cls: Any, **kwargs: Any) -> None:
        defined(cls, **kwargs)
        watch_class(cls)  # at once: a reference to its `__call__` may be kept right below the class

    patches.replace(nnx.Module, "__init_subclass__", classmethod(__init_subclass__))  # type: ignore[arg-type]


def _note_draws(record: Record, before: list[int | None]) -> None:
    known = [*before, *[0] * (len(record.rngs) - len(before))]  # one that construction itself built started at 0
    for (_, _, drawn), old, new in zip(record.rngs, known, record.counts(), strict=True):
        if old is not None and new is not None:
            drawn.append(new - old)


def _note_constructed(record: Record, instance: Any, after: AfterConstruction | None) -> None:
    if isinstance(instance, nnx.Module):
        record.module(instance, constructed=True, created=True, line=record.source.caller())
        if after:
            after(instance)


def _watch_class(patches: Patches, classes: Classes, cls: type) -> None:
    """Wrap the `__call__` that instances of this class use, unless it is wrapped already."""
    owner = next((base for base in cls.__mro__ if "__call__" in vars(base)), None)
    original: Any = vars(owner)["__call__"] if owner else None
    if owner is None or getattr(original, WRAPPED, None) is original:  # itself: `functools.wraps` copies attributes
        return

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        binds = hasattr(original, "__get__")
        bound = original.__get__(self, type(self)) if binds else functools.partial(original, self)
        watch = classes.watch
        if watch is None or watch.record.calling or watch.record.constructing or not isinstance(self, nnx.Module):
            return bound(*args, **kwargs)
        return _noted_call(watch, classes, self, bound, args, kwargs)

    functools.update_wrapper(__call__, original, updated=())
    setattr(__call__, WRAPPED, __call__)
    patches.replace(owner, "__call__", __call__)


def _noted_call(watch: Watch, classes: Classes, self: Any, bound: Any, args: Any, kwargs: Any) -> Any:
    record, line = watch.record, watch.record.source.caller()
    module = record.module(self, constructed=False, created=not classes.knows(self), line=line)
    before = record.layouts.snapshot(self, primal)
    record.calling += 1
    output, returned, finished, across = None, None, False, False
    read = functools.partial(record.layouts.snapshot, self, primal)
    disabled = is_jit_disabled()
    concrete = not (before.traced or disabled or _any_tracer((args, kwargs)))
    within: list[str] = []
    try:
        with entered(read if concrete and record.layouts.arrays is not None else None) as within:
            output = bound(*args, **kwargs)
        finished = True
    except Exception as error:
        across = is_about_trace(error, frozenset(record.class_names))
        raise
    finally:
        record.calling -= 1
        state = record.layouts.snapshot(self, primal)
        traced = bool(before.traced or state.traced) or _any_tracer((args, kwargs, output))
        if finished:
            returned = record.thing(output)
        if record.follower:
            record.follower.called(output)
        place = around(record.source, record.transforms) if traced or disabled else NOWHERE
        uncompiled = disabled and not record.uncompiled
        after = state if finished else None
        as_given = finished and bool(args) and output is args[0]
        facts = {**vars(place), "as_given": as_given, "within": tuple(within), "uncompiled": uncompiled}
        record.calls.append(Call(module, line, traced, across, before, after, returned, **facts))
    if watch.after_call is None or (traced and not watch.in_traces):
        return output
    number = sum(watch.in_traces or not call.traced for call in record.calls)
    return watch.after_call(self, number, output)


def _any_tracer(values: Any) -> bool:
    if isinstance(values, dict):
        values = tuple(values.values())
    if isinstance(values, (tuple, list)):
        return any(map(_any_tracer, values))
    return is_tracer(primal(values))


def _watch_attributes(patches: Patches, record: Record) -> None:
    original = nnx.Module.__setattr__

    def __setattr__(self: Any, name: str, value: Any) -> None:
        old = vars(self).get(name)
        try:
            original(self, name, value)
        finally:
            new = vars(self).get(name)
            if isinstance(old, nnx.Variable):
                _note_write(record, f"{type(self).__name__}.{name}", old, new)
            if record.follower and record.constructing and new is not old:
                _note_birth(record, f"{type(self).__name__}.{name}", old, new)

    patches.replace(nnx.Module, "__setattr__", __setattr__)


def _note_write(record: Record, target: str, old: Any, new: Any) -> None:
    frame = sys._getframe(2)
    while frame.f_back is not None and not record.source.owns(frame.f_code.co_filename):
        frame = frame.f_back
    augmented = record.source.owns(frame.f_code.co_filename) and stores_augmented(frame)
    lost = isinstance(old, nnx.Variable) and not isinstance(new, nnx.Variable)
    types = type_name(type(old)), type_name(type(new))
    record.write(Write(record.source.caller(), target, *types, lost, augmented, record.current_call()))


def _note_birth(record: Record, target: str, old: Any, new: Any) -> None:
    place, before = record.source.place(), "nothing" if old is None else type_name(type(old))
    if record.follower and place:
        record.follower.born(target, place, before, type_name(type(new)))


def _watch_variables(patches: Patches, record: Record) -> None:
    """Assignments that the candidate's own code makes to a Variable: `.value =`, `[...] =`, and in-place operators."""
    for name in ("__setattr__", "__setitem__", *(f"__i{operator}__" for operator in IN_PLACE)):
        if name in vars(nnx.Variable):
            patches.replace(nnx.Variable, name, _watched(record, name, vars(nnx.Variable)[name]))


def _watched(record: Record, name: str, original: Any) -> Any:
    in_place = name.startswith("__i")
    label = "[...]" if name == "__setitem__" else ""

    @functools.wraps(original)
    def write(self: Any, *args: Any) -> Any:
        frame = sys._getframe(1)
        if record.source.owns(frame.f_code.co_filename):
            augmented = in_place or stores_augmented(frame)
            if augmented or record.follower:
                target = type_name(type(self)) + (label or (f".{args[0]}" if name == "__setattr__" else ""))
                _note_contents(record, (frame.f_code.co_filename, frame.f_lineno), target, augmented)
        return original(self, *args)

    return write


def _note_contents(record: Record, place: tuple[str, int], target: str, augmented: bool) -> None:
    if augmented:
        line = record.source.line(*place)
        record.write(Write(line, target, "contents", "contents", False, augmented, record.current_call()))
    if record.follower:
        record.follower.wrote(target, place, record.calling > 0)


def _watch_rngs(patches: Patches, record: Record) -> None:
    original = nnx.Rngs.__init__

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        seeds = tuple(words for seed in (*args, *kwargs.values()) if (words := seed_words(seed)))
        kept = self if rng_counts(self) is not None else None  # a trace's tracers must not leak
        record.rngs.append((kept, seeds, []))

    patches.replace(nnx.Rngs, "__init__", __init__)


def _watch_warnings(record: Record) -> None:
    """Write warnings down instead of printing them; `catch_warnings` restores both."""

    def show(message: Any, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any) -> None:
        key = (category.__name__, f"{filename}:{lineno}")
        if key not in record.warnings:
            line = record.source.caller()
            record.warnings[key] = Warned(category.__name__, str(message)[:300], line, _giver())

    # Not "always": a line is told once in a run, and the same warning is refused sooner here, in C. Entering
    # `catch_warnings` made Python forget what earlier runs had warned of.
    warnings.simplefilter("default")
    warnings.showwarning = show


def _giver() -> str:
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__") == "warnings":
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
