"""The candidate's own lines: places in its files, tracebacks cut to its frames, augmented stores in its bytecode."""

from __future__ import annotations

import dis
import functools
import linecache
import os
import re
import sys
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any

from nnx_conformance.core.candidate import notebook, ownership
from nnx_conformance.core.candidate.notebook import Notebook, is_notebook
from nnx_conformance.core.candidate.target import Target
from nnx_conformance.core.facts import Line, Raised
from nnx_conformance.core.plain_text import plain
from nnx_conformance.observe.flax_versions import is_about_trace
from nnx_conformance.observe.graph import Same

MESSAGE_LENGTH = 2000
FRAMES = 20
STORES = frozenset({"STORE_ATTR", "STORE_SUBSCR"})
BETWEEN = frozenset({"CACHE", "SWAP", "COPY", "EXTENDED_ARG"})


def of_file(target: Target) -> Source:
    """The source of a candidate that is a file; a graded one belongs to no project."""
    return Source(target.path, ownership.roots(target.path, target.packages) if target.source is None else ())


def of_object(file: str, packages: tuple[str, ...] = ()) -> Source:
    """The source of a Python object, written in a file or in a notebook cell."""
    return Source(file, ownership.roots(os.path.abspath(file) if os.path.exists(file) else file, packages))


def of_module(module: ModuleType, target: Target) -> Source:
    """The source of a candidate that is a module."""
    file = getattr(module, "__file__", None)
    return Source(file, ownership.roots(file, target.packages)) if file else Source("<module>")


class Source:
    """The files of one candidate: its own file, helpers in its folder, and its project.

    Args:
        file: the candidate's file, or a name such as `<stdin>` without one.
        roots: the folders of its project, see `core.candidate.ownership`; looked up if None.
    """

    def __init__(self, file: str, roots: tuple[str, ...] | None = None) -> None:
        self.file = os.path.abspath(file) if os.path.exists(file) else file
        self._roots = ownership.roots(self.file) if roots is None else roots
        self.folder = os.path.dirname(self.file) + os.sep if os.path.isabs(self.file) else ""
        self._owned: dict[str, bool] = {}
        self._lines: dict[tuple[str, int], Line] = {}

    def owns(self, filename: str) -> bool:
        """Whether a file is the candidate's."""
        if filename not in self._owned:
            self._owned[filename] = self._decide(filename)
        return self._owned[filename]

    def _decide(self, filename: str) -> bool:
        if filename == self.file or _executed(filename):
            return True
        if not self.folder:
            return False
        if filename.startswith(KIT) or not os.path.isabs(filename):
            return False
        below = filename.removeprefix(self.folder)
        # A virtual environment may be in the candidate's folder.
        return (below != filename and "site-packages" not in below) or ownership.within(filename, self._roots)

    def line(self, filename: str, number: int) -> Line:
        """A line with its place and text."""
        if (filename, number) not in self._lines:
            self._lines[filename, number] = self._line(filename, number)
        return self._lines[filename, number]

    def _line(self, filename: str, number: int) -> Line:
        relative = os.path.relpath(filename, self.folder) if self.folder and os.path.isabs(filename) else filename
        text = plain(linecache.getline(filename, number).strip()[:200])
        cell, number = _cell(filename, number)
        return Line(plain(relative), number, text, cell)

    def caller(self, depth: int = 1) -> Line | None:
        """The innermost line of the candidate on the stack."""
        place = self.place(depth + 1)
        return self.line(*place) if place else None

    def place(self, depth: int = 1) -> tuple[str, int] | None:
        """The file and number of the candidate's innermost line on the stack."""
        frame = owned_frame(sys._getframe(depth), self)
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
        frames: list[Line] = []
        while traceback is not None:
            filename = traceback.tb_frame.f_code.co_filename
            if self.owns(filename):
                frames.append(self.line(filename, traceback.tb_lineno))
                del frames[: -FRAMES * 2]
            traceback = traceback.tb_next
        return tuple(frames)


def _cell(filename: str, number: int) -> tuple[int, int]:
    """The cell of a line, 0 outside of notebooks, and the line's number in it."""
    return _notebook(filename).place(number) if is_notebook(filename) else (_executed(filename), number)


def _executed(filename: str) -> int:
    """The number of the cell of this IPython, `In [3]`, that code from this file ran in; 0 for other files."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    named = shell.compile.format_code_name(filename) if shell else None
    number = re.fullmatch(r"In\[(\d+)\]", named[1]) if named else None
    return int(number[1]) if number else 0


@functools.lru_cache(maxsize=1)  # this raises nothing: the notebook was loaded before any of its lines ran
def _notebook(filename: str) -> Notebook:
    return notebook.read(filename)


def owned_frame(frame: FrameType | None, source: Source) -> FrameType | None:
    """The innermost frame of the candidate, from this one outwards."""
    while frame is not None and not source.owns(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


#: The kit's own folder; its frames are never a candidate's.
KIT = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


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

    The bytecode shows it even without source: the in-place operation directly precedes the store.
    """
    # By identity, because comparing code objects compares all of their content.
    return frame.f_lasti in _augmented_stores(Same(frame.f_code))


@functools.lru_cache(maxsize=256)
def _augmented_stores(code: Same[CodeType]) -> frozenset[int]:
    offsets = set()
    in_place = False
    for instruction in dis.get_instructions(code.value):
        if instruction.opname == "BINARY_OP":
            in_place = instruction.argrepr.endswith("=")
        elif instruction.opname in STORES:
            if in_place:
                offsets.add(instruction.offset)
            in_place = False
        elif instruction.opname not in BETWEEN:
            in_place = False
    return frozenset(offsets)
