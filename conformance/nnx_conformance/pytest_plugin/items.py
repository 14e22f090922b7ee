"""The items of `--nnx-candidate`: one for each check, under its candidate."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nnx_conformance.core import contracts
from nnx_conformance.core.candidate.target import Target, parse
from nnx_conformance.core.contract import Check
from nnx_conformance.pytest_plugin.results import settle
from nnx_conformance.pytest_plugin.session_reports import PROPERTY, session_reports


class CheckItem(pytest.Item):
    """One check of one candidate."""

    def __init__(self, *, target: str, check: Check, **options: Any) -> None:
        super().__init__(**options)
        self.target, self.check = target, check
        self.user_properties.append((PROPERTY, target))
        if self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group(target))

    def runtest(self) -> None:
        __tracebackhide__ = True
        session = session_reports(self.config)
        report = session.report(self.target)
        settle(report, self.check.id, recorded=session.records(report, self.check.id))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.target}: {self.check.id}"


class CandidateChecks(pytest.Collector):
    """A candidate that a target names in a file or a module."""

    def __init__(self, *, target: str, **options: Any) -> None:
        super().__init__(**options)
        self.target = target

    def collect(self) -> Iterator[CheckItem]:
        return _items(self, self.target)


class CandidateFile(pytest.File):
    """A file that is a candidate or defines some."""

    def collect(self) -> Iterator[CheckItem | CandidateChecks]:
        for text, target in _targets(self.config):
            if target.path == str(self.path.resolve()):
                yield from [_named(self, text, target)] if target.name else _items(self, text)


def _items(parent: pytest.Collector, text: str) -> Iterator[CheckItem]:
    for check in contracts.get(session_reports(parent.config).options.contract).checks:
        yield CheckItem.from_parent(parent, name=check.id, target=text, check=check)


def _named(parent: pytest.Collector, text: str, target: Target) -> CandidateChecks:
    return CandidateChecks.from_parent(parent, name=target.name, target=text)


def _targets(config: pytest.Config) -> list[tuple[str, Target]]:
    return [(text, parse(text)) for text in session_reports(config).targets]


def collected_from(path: Path, parent: pytest.Collector, collected: list[Any]) -> list[Any]:
    """The collectors of a file: a candidate's checks, and its tests only if it is named like a test module."""
    if not any(target.path == str(path.resolve()) for _, target in _targets(parent.config)):
        return collected
    is_test = any(fnmatch.fnmatch(path.name, pattern) for pattern in parent.config.getini("python_files"))
    return [CandidateFile.from_parent(parent, path=path), *(collected if is_test else [])]


def missing(session: pytest.Session, items: list[pytest.Item]) -> list[pytest.Item]:
    """The items of all candidates that have none among `items`."""
    judged = {item.target for item in items if isinstance(item, CheckItem)}
    added: list[pytest.Item] = []
    for text, target in _targets(session.config):
        if text not in judged:
            added.extend(_items(_collector(session, text, target), text))
    return added


def _collector(session: pytest.Session, text: str, target: Target) -> pytest.Collector:
    if not target.path:
        return CandidateChecks.from_parent(session, name=text, nodeid=text, target=text)
    file = CandidateFile.from_parent(session, path=Path(target.path))
    return _named(file, text, target) if target.name else file


def placed(item: pytest.Item, report: pytest.TestReport) -> pytest.TestReport:
    """The report of an item; if it was skipped, pytest shows the candidate's file as the location."""
    if isinstance(item, CheckItem) and report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (str(item.path), 1, report.longrepr[2])
    return report
