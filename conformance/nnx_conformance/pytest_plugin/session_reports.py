"""Judges each candidate once for all of its tests, also over the processes of pytest-xdist."""

from __future__ import annotations

import dataclasses
import datetime
import fcntl
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from nnx_conformance.core import wire
from nnx_conformance.core.candidate.subject import is_candidate
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.errors import KitError, Misuse, expected
from nnx_conformance.core.report import Report, Settings
from nnx_conformance.project import baseline, candidates, checking, recording
from nnx_conformance.project.checking import CheckOptions, no_hypothesis_folder
from nnx_conformance.project.settings import Project, find
from nnx_conformance.project.subject_lists import expanded
from nnx_conformance.pytest_plugin.parametrize import CandidateLike, module_name
from nnx_conformance.pytest_plugin.results import settle_all
from nnx_conformance.sandbox.jail import Jail

PROPERTY = "nnx_candidate"
SHARED = "nnx_conformance_folder"


class SessionReports:
    """The reports of this pytest run, each made once. As a plugin, it notes whether an item of a candidate ran."""

    def __init__(self, config: pytest.Config) -> None:
        project = find(config.rootpath)
        self.ends = baseline_until(config)
        if self.ends:  # what the baseline excuses is judged again
            project = recording.without_baseline(project)
        settings = Settings(
            max_examples=project.max_examples,
            strict=project.strict if config.option.nnx_strict is None else config.option.nnx_strict,
        )
        jail = Jail(level=project.isolation or "")
        contract = config.option.nnx_contract or project.contract
        self.options = CheckOptions(project, contract, settings, jail=jail)
        self.targets = tuple(dict.fromkeys(expanded(config.option.nnx_candidate, contract)))
        self._config = config
        self._reports: dict[str, Report | Exception] = {}
        self._item_ran = False
        self._lines: list[str] = []
        self._shared_folder: Callable[[], str] | None = None
        worker = getattr(config, "workerinput", {})
        self._is_worker = bool(worker)
        self._folder = Path(worker[SHARED]) if SHARED in worker else None

    def records(self, report: Report, check_id: str = "") -> bool:
        """Whether the baseline that is written records this check; without an id, all that decides."""
        broken = baseline.broken(report) if self.ends and not report.failure else []
        return check_id in broken or (bool(broken) and not check_id)

    def report(self, candidate: CandidateLike, contract: str | None = None, key: str = "") -> Report:
        """The report of a candidate, which is judged once.

        Args:
            candidate: a target or an object.
            contract: if it is not that of the settings.
            key: identifies an object in all of its tests and processes; a target identifies itself.
        """
        contract = contract or self.options.contract
        options = dataclasses.replace(self.options, contract=contract)
        if not isinstance(candidate, str) and not key:
            if not self.ends:
                return _reported(_judged(options, candidate))
            key = f"{os.getpid()} {len(self._reports)}"  # judged each time, and kept for the baseline
        full_key = f"{contract} {candidate if isinstance(candidate, str) else key}"
        if full_key not in self._reports:
            self._reports[full_key] = self._shared(full_key, lambda: _judged(options, candidate))
        return _reported(self._reports[full_key])

    def _shared(self, key: str, make: Callable[[], Report | Exception]) -> Report | Exception:
        """The report from the file that all processes share; waits while another process judges the candidate."""
        if self._folder is None:
            return make()
        path = _path(self._folder, key)
        with path.with_suffix(".lock").open("w") as lock:
            if not _locked(lock):
                self._judge_another(self._folder)
                fcntl.flock(lock, fcntl.LOCK_EX)
            return _read_or_judged(path, make)

    def _judge_another(self, folder: Path) -> None:
        """Judge a candidate that no process has started, while another process judges the one that we need."""
        for target in self.targets:
            path = _path(folder, f"{self.options.contract} {target}")
            with path.with_suffix(".lock").open("w") as lock:
                if not path.exists() and _locked(lock):
                    _read_or_judged(path, lambda: _judged(self.options, target))  # noqa: B023 - called at once
                    return

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note that an item of a candidate ran."""
        self._item_ran = self._item_ran or any(name == PROPERTY for name, _ in report.user_properties)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail a run with candidates in which no item of any ran."""
        if self._is_worker:
            return
        if self.ends and not self._config.option.collectonly:
            reports = self._all_made()
            if reports or self._config.option.nnx_laws is None:
                self._lines = recorded(self.options.project, reports, self.ends)
        if exitstatus == pytest.ExitCode.OK and self._idle():
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the baseline, and say so if the run had candidates and no item of any ran."""
        if self._lines:
            terminalreporter.section(baseline.NAME)
        for line in self._lines:
            terminalreporter.write_line(line)
        if self._idle():
            named = ", ".join(self.targets)
            terminalreporter.write_line(f"nnx-conformance: no check of {named} was run, so nothing is known of it")

    def _idle(self) -> bool:
        return bool(self.targets) and not self._item_ran and not self._config.option.collectonly

    def _all_made(self) -> list[Report]:
        """The reports that this process has made, and those of the workers of pytest-xdist."""
        made = [report for report in self._reports.values() if isinstance(report, Report)]
        files = sorted(Path(self._shared_folder()).glob("*.report")) if self._shared_folder else []
        return made + [wire.whole(Report, file.read_bytes()) for file in files]


KEY = pytest.StashKey[SessionReports]()


def session_reports(config: pytest.Config) -> SessionReports:
    """The reports of this pytest session."""
    if KEY not in config.stash:
        config.stash[KEY] = SessionReports(config)
    return config.stash[KEY]


def baseline_until(config: pytest.Config) -> datetime.date | None:
    """The day until which `--nnx-write-baseline` excuses what is broken; None without it.

    Raises:
        Misuse: if it is no day to come.
    """
    until = config.option.nnx_write_baseline
    return baseline.day("--nnx-write-baseline", until, datetime.date.today()) if until is not None else None


def recorded(project: Project, reports: list[Report], ends: datetime.date) -> list[str]:
    """What writing the baseline printed; it is not written where nothing was judged."""
    if not reports:
        return ["no candidate was judged, so the baseline is left as it is"]
    try:
        return recording.record(project, reports, ends)
    except OSError as error:
        return [f"{baseline.NAME} cannot be written: {error}"]


def prepare(config: pytest.Config, shared: Callable[[], str]) -> None:
    """Check candidates, settings and waivers before anything is collected.

    Raises:
        pytest.UsageError: if anything is wrong with them.
    """
    try:
        session = session_reports(config)
        for target in session.targets:
            parse(target)
        checking.validate(session.options, session.targets)
        candidates.known_checks(session.options.project)
    except Misuse as error:
        raise pytest.UsageError(f"nnx-conformance: {error}") from error
    if session.ends and config.getoption("dist", "no") != "no":
        session._shared_folder = shared
    config.pluginmanager.register(session, "nnx-conformance-runs")


def conforming(config: pytest.Config) -> Callable[..., Report]:
    """The function that the fixture `assert_conforms` returns."""

    def assert_conforms(candidate: CandidateLike, contract: str | None = None) -> Report:
        __tracebackhide__ = True
        if not is_candidate(candidate) and not isinstance(candidate, str):
            error = expected("a function or a target", "candidate", candidate, "Pass the function itself.")
            pytest.fail(f"nnx-conformance: {error}", pytrace=False)
        session = session_reports(config)
        report = session.report(candidate, contract)
        settle_all(report, recorded=session.records(report))
        return report

    return assert_conforms


def _judged(options: CheckOptions, candidate: CandidateLike) -> Report | Exception:
    try:
        with no_hypothesis_folder():
            if isinstance(candidate, str):
                return checking.judged(options, candidate)
            return checking.judged_object(options, candidate, module_name(candidate))
    except (Misuse, KitError) as error:
        return error


def _path(folder: Path, key: str) -> Path:
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()}.report"


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


def _read_or_judged(path: Path, make: Callable[[], Report | Exception]) -> Report | Exception:
    """The report in a file that we have locked; judges and writes it if there is none."""
    if path.exists():
        return wire.whole(Report, path.read_bytes())
    report = make()
    if isinstance(report, Report):
        path.write_bytes(wire.dumps(report))
    return report


def _reported(report: Report | Exception) -> Report:
    __tracebackhide__ = True
    if isinstance(report, Misuse):
        pytest.fail(f"nnx-conformance: {report}", pytrace=False)
    if isinstance(report, Exception):
        pytest.fail(f"nnx-conformance: the kit failed, this is no verdict on the candidate. {report}", pytrace=False)
    return report
