"""The spies of one run: on construction, calls and attribute writes of modules, on Variables, Rngs and warnings.

They replace public functions that are the same on Flax 0.8.5 to 0.12.12: `__call__` of `nnx.Module`'s metaclass (which
constructs a module, whatever defines its `__init__`), `__call__` of the classes that the candidate uses, `__setattr__`
of `nnx.Module`, the assignments of `nnx.Variable`, and `nnx.Rngs.__init__`. A cached `nnx.jit` call runs none of them;
its effects show in the state before and after. `spying` restores everything when it ends.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flax import nnx

from nnx_conformance.core.facts import Warned
from nnx_conformance.observe.flax_versions import rng_counts
from nnx_conformance.observe.log import RunLog, seed_words
from nnx_conformance.observe.spies.calls import watch_calls
from nnx_conformance.observe.spies.classes import AfterCall, AfterConstruction, CallWatch, Classes
from nnx_conformance.observe.spies.exports import watch_exports
from nnx_conformance.observe.spies.guards import allow_leaks, unguarded
from nnx_conformance.observe.spies.patches import Patches
from nnx_conformance.observe.spies.writes import watch_attributes, watch_variables


@contextmanager
def spying(
    log: RunLog,
    classes: Classes,
    *,
    after_construction: AfterConstruction | None = None,
    after_call: AfterCall | None = None,
    in_traces: bool = False,
) -> Iterator[None]:
    """Record in `log` what happens in the block; the hooks may intervene, after traced calls only with `in_traces`."""
    with Patches() as patches, warnings.catch_warnings():
        _watch_warnings(log)
        allow_leaks(patches)
        watch_exports(patches, log, classes)
        watch_class = functools.partial(watch_calls, patches, classes, log)
        for known in classes:
            watch_class(known)
        _watch_construction(patches, log, watch_class, after_construction)
        if after_construction is None and after_call is None:  # only the outcome of an intervention matters
            watch_attributes(patches, log)
            watch_variables(patches, log)
            _watch_rngs(patches, log)
        classes.watch = CallWatch(log, after_call, in_traces)
        classes.inner.clear()
        classes.outer.clear()
        classes.methods.clear()
        try:
            yield
        finally:
            classes.watch = None
    _learn_modules(log, classes)


@contextmanager
def glancing(log: RunLog, classes: Classes) -> Iterator[None]:
    """Remember the modules made in the block, so that later runs recognise them, and record nothing else."""
    with Patches() as patches, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _watch_construction(patches, log, lambda _: None, None)
        yield
    _learn_modules(log, classes)


def _learn_modules(log: RunLog, classes: Classes) -> None:
    for module in log.modules:
        if module.instance is not None:
            classes.learn(module.instance)


def _watch_construction(
    patches: Patches, log: RunLog, watch_class: Callable[[type], None], after: AfterConstruction | None
) -> None:
    meta = type(nnx.Module)
    original = meta.__call__

    def construct(cls: Any, *args: Any, **kwargs: Any) -> Any:
        watch_class(cls)
        log.class_names.add(cls.__name__)
        outermost, before = log.depth.constructing == 0, log.counts()
        log.depth.constructing += 1
        try:
            instance = original(cls, *args, **kwargs)
        finally:
            log.depth.constructing -= 1
        if outermost:
            first = [*before, *[0] * (len(log.rngs) - len(before))]  # an Rngs that the constructor built started at 0
            for (_, _, drawn), old, new in zip(log.rngs, first, log.counts(), strict=True):
                if old is not None and new is not None:
                    drawn.append(new - old)
            if isinstance(instance, nnx.Module):
                with unguarded():
                    log.module(instance, constructed=True, created=True, line=log.source.caller())
                    if after:
                        after(instance)
        return instance

    patches.replace(meta, "__call__", construct)
    _watch_classes(patches, meta, watch_class)


def _watch_classes(patches: Patches, meta: Any, watch_class: Callable[[type], None]) -> None:
    """Watch classes as soon as they are defined, or get another `__call__`."""
    original = meta.__setattr__

    def __setattr__(cls: Any, name: str, value: Any) -> None:
        original(cls, name, value)
        if name == "__call__":
            watch_class(cls)

    patches.replace(meta, "__setattr__", __setattr__)
    defined = nnx.Module.__init_subclass__.__func__  # type: ignore[attr-defined]

    def __init_subclass__(cls: Any, **kwargs: Any) -> None:
        defined(cls, **kwargs)
        watch_class(cls)  # at once, because the next line may keep a reference to its `__call__`

    patches.replace(nnx.Module, "__init_subclass__", classmethod(__init_subclass__))  # type: ignore[arg-type]


def _watch_rngs(patches: Patches, log: RunLog) -> None:
    original = nnx.Rngs.__init__

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        seeds = tuple(words for seed in (*args, *kwargs.values()) if (words := seed_words(seed)))
        alive = self if rng_counts(self) is not None else None  # an Rngs with tracers must not outlive its trace
        log.rngs.append((alive, seeds, []))

    patches.replace(nnx.Rngs, "__init__", __init__)


def _watch_warnings(log: RunLog) -> None:
    """Record warnings instead of printing them; the caller's `catch_warnings` undoes it."""

    def show(message: Any, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any) -> None:
        key = (category.__name__, f"{filename}:{lineno}")
        if key not in log.warnings:
            line = log.source.caller()
            log.warnings[key] = Warned(category.__name__, str(message)[:300], line, _issuer())

    # Not "always": we need each line once a run, and "default" drops repetitions early, in C. Entering
    # `catch_warnings` has reset Python's record of the warnings of earlier runs.
    warnings.simplefilter("default")
    warnings.showwarning = show


def _issuer() -> str:
    """The package that issued the warning."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__") == "warnings":
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
