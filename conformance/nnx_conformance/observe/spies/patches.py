"""Replacing attributes of classes and modules, and the profiler, for a while, and putting back what was there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

_ABSENT = object()


class Patches:
    """A context manager that undoes, last first, every replacement made through it.

    What somebody else has put in its place in the meantime stays.
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
        """Set `owner.name`, remembering what the owner itself had there, which may be nothing."""
        self._done.append((owner, name, vars(owner).get(name, _ABSENT), value))
        _plain(owner).__setattr__(owner, name, value)


@contextmanager
def profiling(profile: Callable[[FrameType, str, Any], None]) -> Iterator[None]:
    """Profile the block with a function; whoever profiled before goes on after it."""
    before: Any = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield
    finally:
        # cProfile stands there as an object that `sys.setprofile` does not take back (Python 3.11).
        sys.setprofile(before if before is None or callable(before) else None)
        if hasattr(before, "enable"):
            before.enable()


def _plain(owner: type | ModuleType) -> Any:
    """What sets attributes, past the metaclass, whose own `__setattr__` may be one of the things replaced."""
    return type if isinstance(owner, type) else ModuleType
