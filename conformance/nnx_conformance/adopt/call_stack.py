"""Whose method or constructor runs in a thread, so that a call from within is not kept as one of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Running(threading.local):
    """What runs in a thread: the classes of whose instances a method or the constructor does."""

    def __init__(self) -> None:
        self.classes: list[type] = []
        self.held = False

    @property
    def constructing(self) -> bool:
        return bool(self.classes)

    @contextmanager
    def inside(self, cls: type) -> Iterator[None]:
        self.classes.append(cls)
        try:
            yield
        finally:
            self.classes.pop()

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """While the recorder itself looks at modules, what that calls is nobody's call."""
        self.held = True
        try:
            yield
        finally:
            self.held = False
