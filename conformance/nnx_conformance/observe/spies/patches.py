"""Replaces attributes of classes and modules, or the profiler, and restores them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

_ABSENT = object()


class Patches:
    """A context manager that undoes its replacements, last first.

    An attribute that other code has replaced in the meantime stays.
    """

    def __init__(self) -> None:
        self._done: list[tuple[type | ModuleType, str, Any, Any]] = []

    def __enter__(self) -> Patches:
        return self

    def __exit__(self, *_: object) -> None:
        while self._done:
            owner, name, before, ours = self._done.pop()
            if vars(owner).get(name, _ABSENT) is not ours:
                continue
            if before is _ABSENT:
                _plain(owner).__delattr__(owner, name)
            else:
                _plain(owner).__setattr__(owner, name, before)

    def replace(self, owner: type | ModuleType, name: str, value: Any) -> None:
        """Set `owner.name`, and remember the owner's own value, if it has one."""
        self._done.append((owner, name, vars(owner).get(name, _ABSENT), value))
        _plain(owner).__setattr__(owner, name, value)


@contextmanager
def profiling(profile: Callable[[FrameType, str, Any], None]) -> Iterator[None]:
    """Profile the block with a function, then restore the profiler from before."""
    before: Any = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield
    finally:
        # `sys.getprofile` gives cProfile as an object that `sys.setprofile` does not accept (Python 3.11).
        sys.setprofile(before if before is None or callable(before) else None)
        if hasattr(before, "enable"):
            before.enable()


def _plain(owner: type | ModuleType) -> Any:
    """The type whose `__setattr__` bypasses the metaclass, because the spies may have replaced the metaclass's own."""
    return type if isinstance(owner, type) else ModuleType
