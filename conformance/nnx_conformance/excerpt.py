"""The candidate's source as the judge reads it: its file, and the lines around each finding.

The lines that findings name were told by the candidate's process, so they are not trusted: a file is read only if it
is the candidate's own or one beside it that its own file imports, and shown only if the line in it is what was told.
"""

from __future__ import annotations

import dataclasses
import linecache
import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from nnx_conformance.observation import Line
from nnx_conformance.plain_text import plain
from nnx_conformance.report import Excerpt, Finding, Report
from nnx_conformance.target import Target

#: Lines before and after, the longest line that is shown, and the largest file that is read.
AROUND, WIDTH, LARGEST = 4, 200, 1 << 20

#: The lines of a file; none if it cannot be read.
Read = Callable[[Path], list[str]]


def of_target(report: Report, target: Target) -> Report:
    """The report with the source of a candidate that ran in a process of its own."""
    file = Path(target.path) if target.path else module_file(target.module)
    return _with_source(report, file, read) if file else report


def of_object(report: Report, file: str) -> Report:
    """The report with the source of a Python object, which may be written in a notebook."""
    return _with_source(report, Path(file), lambda path: linecache.getlines(str(path)))


def module_file(name: str) -> Path | None:
    """The file of a module, found without importing anything, for that would run its code here."""
    below = Path(*name.split("."))
    for folder in (".", *sys.path):
        for found in (Path(folder, below).with_suffix(".py"), Path(folder, below, "__init__.py")):
            if found.is_file():
                return found.resolve()
    return None


def read(path: Path) -> list[str]:
    """The lines of a regular file of moderate size."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return []
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
            return []
        return file.read(LARGEST).decode("utf-8", "replace").splitlines()


def _with_source(report: Report, file: Path, read: Read) -> Report:
    findings = tuple(_with_excerpt(finding, file, read) for finding in report.findings)
    return dataclasses.replace(report, findings=findings, source=_shown(file) if file.is_file() else "")


def _shown(file: Path) -> str:
    return (file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file).as_posix()


def _with_excerpt(finding: Finding, file: Path, read: Read) -> Finding:
    if finding.line is None or not _belongs(finding.line, file, read):
        return finding
    return dataclasses.replace(finding, excerpt=_around(finding.line, read(file.parent / finding.line.file)))


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
    first = max(0, at - AROUND)
    shown = lines[first : at + AROUND + 1]
    return Excerpt(first + 1, tuple(plain(text.rstrip().expandtabs(4)[:WIDTH]) for text in shown))
