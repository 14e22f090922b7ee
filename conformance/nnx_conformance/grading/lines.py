"""Reads lines from a descriptor as they come, without waiting."""

from __future__ import annotations

import os
from collections import deque

#: One read; so much at most is taken in before it is needed.
CHUNK = 1 << 16


class Lines:
    """Lines of bytes, with their numbers from 1. Empty ones are left out.

    Args:
        descriptor: a pipe, a socket or a file.
        longest: of a longer line, only so many bytes are kept.
    """

    def __init__(self, descriptor: int, longest: int) -> None:
        self.descriptor = descriptor
        self._longest = longest
        self._ready: deque[tuple[int, bytes]] = deque()
        self._part = bytearray()
        self._number = 0
        self._closed = False

    @property
    def ended(self) -> bool:
        """Whether no line is left and none will come."""
        return self._closed and not self._ready

    def take(self) -> tuple[int, bytes] | None:
        """The number and bytes of the next line; None if no whole line has come."""
        return self._ready.popleft() if self._ready else None

    def read(self) -> None:
        """Read the available bytes; waits if there are none."""
        data = os.read(self.descriptor, CHUNK)
        if not data:
            self._closed = True
            self._line()
            return
        first, *rest = data.split(b"\n")
        self._grow(first)
        for part in rest:
            self._line()
            self._grow(part)

    def _grow(self, part: bytes) -> None:
        self._part += part[: max(0, self._longest - len(self._part))]

    def _line(self) -> None:
        self._number += 1
        if self._part.strip():
            self._ready.append((self._number, bytes(self._part)))
        self._part.clear()
