"""The classes whose methods or constructors run in a thread, so that the recorder skips calls from inside them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class CallStack(threading.local):
    """Per thread, the classes whose methods or constructors run; `paused` while the recorder itself calls code."""

    def __init__(self) -> None:
        self.classes: list[type] = []
        self.paused = False

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
    def pause(self) -> Iterator[None]:
        """Within the block, record nothing: reading modules may call their methods."""
        self.paused = True
        try:
            yield
        finally:
            self.paused = False
