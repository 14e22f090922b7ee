"""The registry of formats, by the names that `check --format` takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TextIO

from nnx_conformance.errors import expected, suggestion
from nnx_conformance.report import Report

#: What a module of a format has, under the name `write`.
Write = Callable[[Sequence[Report], TextIO], None]


@dataclass(frozen=True)
class Format:
    """One form of output.

    Attributes:
        name: as the command line takes it.
        about: what it is for, in one line.
        module: where its `write` is found; imported when it is used, for some need what the others do without.
    """

    name: str
    about: str
    module: str

    def write(self, reports: Sequence[Report], file: TextIO) -> None:
        """Write reports to a file that is open for text."""
        write: Write = import_module(self.module).write
        write(reports, file)


_HOME = "nnx_conformance.formats"

FORMATS = {
    found.name: found
    for found in (
        Format("terminal", "for people at a terminal", f"{_HOME}.terminal"),
        Format("json", "for programs; see `report.schema.json`", f"{_HOME}.json"),
        Format("junit", "JUnit XML, which CI servers show as test results", f"{_HOME}.junit"),
        Format("sarif", "SARIF 2.1.0, which code hosts and editors show at the line", f"{_HOME}.sarif"),
        Format("github", "annotations of a GitHub Actions run", f"{_HOME}.github"),
        Format("markdown", "a comment on a pull request, or a job summary", f"{_HOME}.markdown"),
        Format("html", "one self-contained page", f"{_HOME}.html"),
    )
}


def get(name: str) -> Format:
    """A format by its name.

    Raises:
        Misuse: if there is none.
    """
    if name not in FORMATS:
        raise expected("a known format", "--format", name, suggestion(name, FORMATS))
    return FORMATS[name]
