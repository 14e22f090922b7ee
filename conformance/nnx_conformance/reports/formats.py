"""The formats of reports, by the names that `check --format` takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TextIO

from nnx_conformance.core.errors import expected, suggestion
from nnx_conformance.core.report import Report

#: What a module of a format has, under the name `write`.
WriteReports = Callable[..., None]


@dataclass(frozen=True)
class Format:
    """One output format.

    Attributes:
        name: as the command line takes it.
        about: what it is for, in one line.
        module: holds its `write`; imported when it is used, for some need what the others do without.
        takes: the names of the options that its `write` takes beside reports and file.
    """

    name: str
    about: str
    module: str
    takes: tuple[str, ...] = ()

    def write(self, reports: Sequence[Report], file: TextIO, **options: Any) -> None:
        """Write reports to an open text file, with the options that the format takes."""
        write: WriteReports = import_module(self.module).write
        write(reports, file, **{name: options[name] for name in self.takes if name in options})


_HOME = "nnx_conformance.reports"

FORMATS = {
    found.name: found
    for found in (
        Format("terminal", "for people at a terminal", f"{_HOME}.terminal", ("detail",)),
        Format("concise", "one line a finding, as linters and editors have it", f"{_HOME}.concise"),
        Format("json", "for programs; see `report.schema.json`", f"{_HOME}.json"),
        Format("junit", "JUnit XML, which CI servers show as test results", f"{_HOME}.junit"),
        Format("sarif", "SARIF 2.1.0, which code hosts and editors show at the line", f"{_HOME}.sarif"),
        Format("github", "annotations of a GitHub Actions run", f"{_HOME}.github"),
        Format("gitlab", "GitLab's code quality report, shown in merge requests", f"{_HOME}.gitlab"),
        Format("rdjson", "reviewdog's format, which comments on lines", f"{_HOME}.rdjson"),
        Format("gradescope", "Gradescope's `results.json`, points for each check", f"{_HOME}.gradescope", ("points",)),
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
