"""Spies on Flax Linen: the variables that `init` returns, and the variables before and after each `apply`.

They replace the methods `Module.init`, `init_with_output` and `apply`, and the functions of these names, all the same
on Flax 0.8.5 to 0.12.12. Linen modules hold no state and are built again at will, so those of one class count as one.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flax import linen

from nnx_conformance.core.facts import Call, Slot, Snapshot
from nnx_conformance.observe.flax_versions import is_jit_disabled, is_tracer, primal
from nnx_conformance.observe.graph import parts
from nnx_conformance.observe.log import RunLog
from nnx_conformance.observe.spies.classes import AfterCall
from nnx_conformance.observe.spies.patches import Patches
from nnx_conformance.observe.spies.transforms import NOWHERE, around

PARAMS = "params"


@dataclass(eq=False)
class Collections:
    """The collections that an `apply` has updated; an intervention may replace them."""

    updated: Any


@dataclass(eq=False)
class _Watch:
    log: RunLog
    after_call: AfterCall | None
    latest: dict[type, Snapshot] = field(default_factory=dict)

    def snapshot(self, variables: Any) -> Snapshot:
        slots = list(_leaves(variables))
        return self.log.layouts.put(tuple(slot for slot, _ in slots), [primal(value) for _, value in slots])

    def position(self, cls: type, start: Snapshot, *, constructed: bool) -> int:
        take = functools.partial(self.latest.__getitem__, cls)
        return self.log.foreign(
            cls, cls.__name__, "linen", constructed=constructed, created=True, start=start, take=take
        )


@contextmanager
def spying(log: RunLog, after_call: AfterCall | None) -> Iterator[None]:
    """Record in `log` what Linen does in the block."""
    watch = _Watch(log, after_call)
    with Patches() as patches:
        for name in ("init", "init_with_output"):
            patches.replace(linen.Module, name, _init(watch, getattr(linen.Module, name), name))
            patches.replace(linen, name, _init_function(watch, getattr(linen, name), name))
        patches.replace(linen.Module, "apply", _apply(watch, linen.Module.apply))
        patches.replace(linen, "apply", _apply_function(watch, linen.apply))
        yield


def _init(watch: _Watch, original: Any, name: str) -> Any:
    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _recorded_init(watch, type(self), functools.partial(original, self, *args, **kwargs), name)

    return init


def _init_function(watch: _Watch, original: Any, name: str) -> Any:
    @functools.wraps(original)
    def init(function: Any, module: Any, *args: Any, **kwargs: Any) -> Any:
        inner = original(function, module, *args, **kwargs)

        @functools.wraps(inner)
        def watched(*inner_args: Any, **inner_kwargs: Any) -> Any:
            return _recorded_init(watch, type(module), functools.partial(inner, *inner_args, **inner_kwargs), name)

        return watched

    return init


def _recorded_init(watch: _Watch, cls: type, bound: Any, name: str) -> Any:
    if watch.log.depth.calling:
        return bound()
    watch.log.depth.calling += 1
    try:
        variables = bound()
    finally:
        watch.log.depth.calling -= 1
    start = watch.snapshot(variables if name == "init" else variables[1])
    watch.latest[cls] = start
    watch.position(cls, start, constructed=True)
    return variables


def _apply(watch: _Watch, original: Any) -> Any:
    @functools.wraps(original)
    def apply(self: Any, variables: Any, *args: Any, **kwargs: Any) -> Any:
        bound = functools.partial(original, self, variables, *args, **kwargs)
        return _recorded_apply(watch, type(self), variables, bound, kwargs)

    return apply


def _apply_function(watch: _Watch, original: Any) -> Any:
    @functools.wraps(original)
    def apply(function: Any, module: Any, *args: Any, **kwargs: Any) -> Any:
        inner = original(function, module, *args, **kwargs)
        options = dict(zip(("mutable", "capture_intermediates"), args, strict=False)) | kwargs

        @functools.wraps(inner)
        def watched(variables: Any, *inner_args: Any, **inner_kwargs: Any) -> Any:
            bound = functools.partial(inner, variables, *inner_args, **inner_kwargs)
            return _recorded_apply(watch, type(module), variables, bound, options)

        return watched

    return apply


def _recorded_apply(watch: _Watch, cls: type, variables: Any, bound: Any, kwargs: Mapping[str, Any]) -> Any:
    if watch.log.depth.calling:
        return bound()
    log, line, before = watch.log, watch.log.source.caller(), watch.snapshot(variables)
    watch.latest.setdefault(cls, before)
    module = watch.position(cls, before, constructed=False)
    mutable = kwargs.get("mutable", False) is not False
    log.depth.calling += 1
    after, returned, outcome = None, None, None
    try:
        outcome = bound()
        output, updated = outcome if mutable or kwargs.get("capture_intermediates") else (outcome, {})
        after = watch.latest[cls] = watch.snapshot({**variables, **updated})
        returned = log.value(output)
    finally:
        log.depth.calling -= 1
        traced = bool(before.traced or (after and after.traced)) or is_tracer(primal(outcome))
        place = around(log.source, log.uses) if traced or is_jit_disabled() else NOWHERE
        log.calls.append(Call(module, line, traced, False, before, after, returned, mutable=mutable, **vars(place)))
    if watch.after_call is None or traced or not mutable:
        return outcome
    collections = Collections(updated)
    output = watch.after_call(collections, sum(not call.traced for call in log.calls), output)
    return output, collections.updated


def _leaves(variables: Any) -> Iterator[tuple[Slot, Any]]:
    for collection, content in variables.items():
        for path, value in _flat(content, str(collection)):
            yield Slot(path, f"linen collection {collection!r}", True, collection == PARAMS, False), value


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield from ((path + label, part) for label, part in parts(value))
        return
    for name, part in value.items():
        yield from _flat(part, f"{path}.{name}")
