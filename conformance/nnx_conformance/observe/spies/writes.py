"""The spies on writes: to attributes of modules, and to the contents of Variables."""

from __future__ import annotations

import functools
import sys
from typing import Any

from flax import nnx

from nnx_conformance.core.facts import Write
from nnx_conformance.observe.graph import type_name
from nnx_conformance.observe.log import RunLog
from nnx_conformance.observe.source import stores_augmented
from nnx_conformance.observe.spies.patches import Patches

IN_PLACE = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift", "and", "xor", "or")


def watch_attributes(patches: Patches, log: RunLog) -> None:
    """Record assignments to module attributes that hold a Variable, and all those of constructors for the trail."""
    original = nnx.Module.__setattr__

    def __setattr__(self: Any, name: str, value: Any) -> None:
        old = vars(self).get(name)
        try:
            original(self, name, value)
        finally:
            new = vars(self).get(name)
            if isinstance(old, nnx.Variable):
                _record_write(log, f"{type(self).__name__}.{name}", old, new)
            if log.trail and log.depth.constructing and new is not old:
                _record_construction(log, f"{type(self).__name__}.{name}", old, new)

    patches.replace(nnx.Module, "__setattr__", __setattr__)


def _record_write(log: RunLog, target: str, old: Any, new: Any) -> None:
    frame = sys._getframe(2)
    while frame.f_back is not None and not log.source.owns(frame.f_code.co_filename):
        frame = frame.f_back
    augmented = log.source.owns(frame.f_code.co_filename) and stores_augmented(frame)
    lost = isinstance(old, nnx.Variable) and not isinstance(new, nnx.Variable)
    types = type_name(type(old)), type_name(type(new))
    log.write(Write(log.source.caller(), target, *types, lost, augmented, log.current_call()))


def _record_construction(log: RunLog, target: str, old: Any, new: Any) -> None:
    place, before = log.source.place(), "nothing" if old is None else type_name(type(old))
    if log.trail and place:
        log.trail.constructed(target, place, before, type_name(type(new)))


def watch_variables(patches: Patches, log: RunLog) -> None:
    """Record the candidate's own assignments to a Variable: `.value =`, `[...] =`, and in-place operators."""
    for name in ("__setattr__", "__setitem__", *(f"__i{operator}__" for operator in IN_PLACE)):
        if name in vars(nnx.Variable):
            patches.replace(nnx.Variable, name, _watched(log, name, vars(nnx.Variable)[name]))


def _watched(log: RunLog, name: str, original: Any) -> Any:
    in_place = name.startswith("__i")
    label = "[...]" if name == "__setitem__" else ""

    @functools.wraps(original)
    def write(self: Any, *args: Any) -> Any:
        frame = sys._getframe(1)
        if log.source.owns(frame.f_code.co_filename):
            augmented = in_place or stores_augmented(frame)
            if augmented or log.trail:
                target = type_name(type(self)) + (label or (f".{args[0]}" if name == "__setattr__" else ""))
                _record_contents(log, (frame.f_code.co_filename, frame.f_lineno), target, augmented)
        return original(self, *args)

    return write


def _record_contents(log: RunLog, place: tuple[str, int], target: str, augmented: bool) -> None:
    if augmented:
        line = log.source.line(*place)
        log.write(Write(line, target, "contents", "contents", False, augmented, log.current_call()))
    if log.trail:
        log.trail.wrote(target, place, log.depth.calling > 0)
