"""Replacing class attributes for a while, and putting back what was there."""

from __future__ import annotations

from typing import Any

_ABSENT = object()


class Patches:
    """A context manager that undoes, last first, every replacement made through it."""

    def __init__(self) -> None:
        self._done: list[tuple[type, str, Any]] = []

    def __enter__(self) -> Patches:
        return self

    def __exit__(self, *_: object) -> None:
        while self._done:
            owner, name, before = self._done.pop()
            if before is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

    def replace(self, owner: type, name: str, value: Any) -> None:
        """Set `owner.name`, remembering what the class itself had there, which may be nothing."""
        self._done.append((owner, name, vars(owner).get(name, _ABSENT)))
        setattr(owner, name, value)
