"""Which lines are the candidate's: places in its files, tracebacks cut to its frames, and what a bytecode stored."""

from __future__ import annotations

import dis
import functools
import linecache
import os
import sys
from types import CodeType, FrameType, TracebackType
from typing import Any

from nnx_conformance.flax_versions import is_about_trace
from nnx_conformance.observation import Line, Raised
from nnx_conformance.plain_text import plain

MESSAGE_LENGTH = 2000
FRAMES = 20
STORES = frozenset({"STORE_ATTR", "STORE_SUBSCR"})
BETWEEN = frozenset({"CACHE", "SWAP", "COPY", "EXTENDED_ARG"})


class Source:
    """The files of one candidate: its own file, and helpers in its folder.

    Args:
        file: the candidate's file, or a name such as `<stdin>` where there is none.
    """

    def __init__(self, file: str) -> None:
        self.file = os.path.abspath(file) if os.path.exists(file) else file
        self.folder = os.path.dirname(self.file) + os.sep if os.path.isabs(self.file) else ""
        self._owned: dict[str, bool] = {}
        self._lines: dict[tuple[str, int], Line] = {}

    def owns(self, filename: str) -> bool:
        """Whether code of this file is the candidate's."""
        if filename not in self._owned:
            self._owned[filename] = self._decide(filename)
        return self._owned[filename]

    def _decide(self, filename: str) -> bool:
        if not self.folder or filename == self.file:
            return filename == self.file
        below = filename.removeprefix(self.folder)
        # A virtual environment may lie in the candidate's folder; the kit itself may be a neighbour.
        return below != filename and "site-packages" not in below and not filename.startswith(KIT)

    def line(self, filename: str, number: int) -> Line:
        """The place of a line, with its text."""
        if (filename, number) not in self._lines:
            self._lines[filename, number] = self._line(filename, number)
        return self._lines[filename, number]

    def _line(self, filename: str, number: int) -> Line:
        shown = filename.removeprefix(self.folder) if self.folder else filename
        return Line(plain(shown), number, plain(linecache.getline(filename, number).strip()[:200]))

    def caller(self, depth: int = 1) -> Line | None:
        """The innermost line of the candidate that led here."""
        place = self.place(depth + 1)
        return self.line(*place) if place else None

    def place(self, depth: int = 1) -> tuple[str, int] | None:
        """The same as file and number."""
        frame: FrameType | None = sys._getframe(depth)
        while frame is not None and not self.owns(frame.f_code.co_filename):
            frame = frame.f_back
        return (frame.f_code.co_filename, frame.f_lineno) if frame else None

    def raised(self, error: BaseException, class_names: frozenset[str] = frozenset()) -> Raised:
        """An exception as a fact, its traceback cut to the candidate's frames."""
        frames = self._frames(error.__traceback__)
        message = _message(error)
        if isinstance(error, SyntaxError) and error.filename and self.owns(error.filename):
            frames = (*frames, self.line(error.filename, error.lineno or 1))
        last = frames[-1] if frames else None
        about = _safely(is_about_trace, error, class_names)
        return Raised(type(error).__qualname__, message, last, frames[-FRAMES:], about)

    def _frames(self, traceback: TracebackType | None) -> tuple[Line, ...]:
        found: list[Line] = []
        while traceback is not None:
            filename = traceback.tb_frame.f_code.co_filename
            if self.owns(filename):
                found.append(self.line(filename, traceback.tb_lineno))
                del found[: -FRAMES * 2]
            traceback = traceback.tb_next
        return tuple(found)


#: The kit's own folder; its frames are never a candidate's.
KIT = os.path.dirname(os.path.abspath(__file__)) + os.sep


def _message(error: BaseException) -> str:
    try:
        return plain(str(error)[:MESSAGE_LENGTH])
    except BaseException:  # noqa: BLE001 - the candidate's own __str__ may do anything
        return "(its message cannot be shown)"


def _safely(function: Any, error: BaseException, class_names: frozenset[str]) -> bool:
    try:
        return bool(function(error, class_names))
    except BaseException:  # noqa: BLE001 - as above
        return False


def stores_augmented(frame: FrameType) -> bool:
    """Whether the frame is at the store of an augmented assignment to an attribute or item (`a.b += 1`).

    Read from the bytecode, so it works without source: the in-place operation stands right before the store.
    """
    # By identity: telling equal code from other code compares all of it.
    return frame.f_lasti in _augmented_stores(_Same(frame.f_code))


class _Same:
    """Code that is equal to itself alone."""

    def __init__(self, code: CodeType) -> None:
        self.code = code

    def __hash__(self) -> int:
        return id(self.code)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.code is other.code


@functools.lru_cache(maxsize=256)
def _augmented_stores(of: _Same) -> frozenset[int]:
    found = set()
    in_place = False
    for instruction in dis.get_instructions(of.code):
        if instruction.opname == "BINARY_OP":
            in_place = instruction.argrepr.endswith("=")
        elif instruction.opname in STORES:
            if in_place:
                found.add(instruction.offset)
            in_place = False
        elif instruction.opname not in BETWEEN:
            in_place = False
    return frozenset(found)
