"""Watches candidates: which files a verdict depends on, and what the last change did to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.errors import Misuse
from nnx_conformance.core.report import Report
from nnx_conformance.project.content import TooMuch, sources


@dataclass(frozen=True)
class VerdictChange:
    """The checks that a change fixed, broke or left."""

    fixed: tuple[str, ...]
    new: tuple[str, ...]
    still_there: tuple[str, ...]


def change(before: Report, after: Report) -> VerdictChange:
    """The difference between the findings of two reports."""
    was, now = ([finding.check for finding in report.findings] for report in (before, after))
    return VerdictChange(
        fixed=tuple(check for check in was if check not in now),
        new=tuple(check for check in now if check not in was),
        still_there=tuple(check for check in now if check in was),
    )


class WatchedTarget:
    """One target, and the last known content of the files that its verdict depends on."""

    def __init__(self, target: str, packages: tuple[str, ...]) -> None:
        self.target = target
        self._packages = packages
        self._contents: dict[Path, str] = {}
        self.look()

    @property
    def folders(self) -> set[Path]:
        """The folders to watch, as an editor may replace a file by a new one."""
        return {file.parent for file in self._contents}

    def look(self) -> bool:
        """Read the files again; returns whether one changed, is new, or is gone."""
        before, self._contents = self._contents, {file: _content(file) for file in self._files()}
        return self._contents != before

    @property
    def gone(self) -> list[Path]:
        """The files that are not there now."""
        return [file for file, content in self._contents.items() if not content]

    def _files(self) -> set[Path]:
        try:
            files = sources(parse(self.target, self._packages))
        except (Misuse, TooMuch):  # it is not there now, or is none: whatever was watched goes on being watched
            files = set()
        return {file.resolve() for file in files} | set(self._contents)


def _content(file: Path) -> str:
    """A hash; empty if it is not there."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
