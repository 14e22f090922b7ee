"""The candidate's source: its file, and the lines around each finding.

The candidate's process names the lines of findings, so they are not trusted: a file is read only if it is the
candidate's own or one beside it that its own file imports, and shown only if the line in it is what was reported.
"""

from __future__ import annotations

import linecache
import os
import re
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nnx_conformance.core.candidate import notebook
from nnx_conformance.core.candidate.notebook import NotANotebook, Notebook, is_notebook
from nnx_conformance.core.candidate.ownership import roots, within
from nnx_conformance.core.candidate.target import Target
from nnx_conformance.core.facts import Line
from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.report import Excerpt

#: Lines before and after, the longest line that is shown, and the largest file that is read.
AROUND, WIDTH, LARGEST = 4, 200, 1 << 20

#: The lines of a file; none if it cannot be read.
Read = Callable[[Path], list[str]]


@dataclass(frozen=True)
class SourceFile:
    """The candidate's file, and how it is read; `here` if it runs in this process, perhaps in a notebook's cells."""

    file: Path
    read: Read
    packages: tuple[str, ...] = ()
    here: bool = False

    @property
    def name(self) -> str:
        """The file, relative to the current folder where it lies below; empty if there is none."""
        file = self.file
        if not file.is_file():
            return ""
        return (file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file).as_posix()

    def elsewhere(self, line: Line | None) -> str:
        """The file of a line outside of the candidate's folder, as `name` is; empty for one that is not its own."""
        if line is None or self.beside(line) or not self.name:
            return ""
        path = os.path.normpath(self.file.parent / line.file)
        if not (os.path.isfile(path) and within(path, roots(str(self.file), self.packages))):
            return ""
        return Path(os.path.relpath(path)).as_posix()

    def beside(self, line: Line) -> bool:
        """Whether a line claims to be in the candidate's folder."""
        return not line.file.startswith(("/", "../"))

    def around(self, line: Line | None) -> Excerpt | None:
        """The lines around a line; None if that is in no file of the candidate's, or is not what was reported."""
        if line is None or not (
            (self.here and line.cell) or _belongs(line, self.file, self.read) or self._imports(line)
        ):
            return None
        path = self.file.parent / line.file
        if line.cell and (found := notebook_of(path)):
            return _around(line, [text for cell in found.cells[line.cell - 1 : line.cell] for text in cell.split("\n")])
        return _around(line, self.read(path))

    def _imports(self, line: Line) -> bool:
        """Whether a line is in another folder of the candidate's project, in what its own file imports by name."""
        if not self.elsewhere(line):
            return False
        names = "|".join(re.escape(part.removesuffix(".py")) for part in Path(line.file).parts if part != "..")
        return any(re.match(rf"\s*(?:from|import)\s+(?:{names})\b", text) for text in self.read(self.file))


def of_target(target: Target) -> SourceFile | None:
    """The source of a candidate that runs in a process of its own."""
    file = Path(target.path) if target.path else module_file(target.module)
    return SourceFile(file, read, target.packages) if file else None


def of_object(file: str, packages: tuple[str, ...] = ()) -> SourceFile:
    """The source of a Python object, which may be written in a notebook."""
    return SourceFile(Path(file), lambda path: linecache.getlines(str(path)), packages, here=True)


def module_file(name: str) -> Path | None:
    """The file of a module. Nothing is imported for it, for that would run its code here."""
    below = Path(*name.split("."))
    for folder in (".", *sys.path):
        for file in (Path(folder, below).with_suffix(".py"), Path(folder, below, "__init__.py")):
            if file.is_file():
                return file.resolve()
    return None


def read(path: Path) -> list[str]:
    """The lines of a regular file of moderate size; of a notebook, those of its code cells."""
    if found := notebook_of(path):
        return found.source.split("\n")
    return _bytes(path, LARGEST).decode("utf-8", "replace").splitlines()


def notebook_of(path: Path) -> Notebook | None:
    """The notebook that a file is; None if it is none, or cannot be read."""
    try:
        return notebook.parsed(_bytes(path, notebook.LARGEST)) if is_notebook(path.name) else None
    except NotANotebook:
        return None


def _bytes(path: Path, largest: int) -> bytes:
    """The bytes of a regular file; empty if it is larger."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_size > largest:
            return b""
        return file.read(largest)


def _belongs(line: Line, file: Path, read: Read) -> bool:
    """Whether a line is in the candidate's own file, or in one beside it that it imports."""
    if line.file == file.name:
        return True
    beside = re.fullmatch(r"(\w+)(?:/[\w/]+)?\.py", line.file)
    if beside is None or not (file.parent / line.file).resolve().is_relative_to(file.parent.resolve()):
        return False
    imports = re.compile(rf"\s*(?:from|import)\s+{beside[1]}\b")
    return any(imports.match(text) for text in read(file))


def _around(line: Line, lines: list[str]) -> Excerpt | None:
    at = line.number - 1
    if not 0 <= at < len(lines) or not line.source or plain(lines[at].strip()[:WIDTH]) != line.source:
        return None
    numbers = [number for number in range(max(0, at - AROUND), at + AROUND + 1) if number < len(lines)]
    written = [number for number in numbers if lines[number].strip()]  # no blank lines at either end
    excerpt = lines[written[0] : written[-1] + 1]
    return Excerpt(written[0] + 1, tuple(plain(text.rstrip().expandtabs(4)[:WIDTH]) for text in excerpt))
