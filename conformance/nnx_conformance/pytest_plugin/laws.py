"""The plugin of `--nnx-laws`: records the modules that the tests make and call, and judges them by the module laws."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nnx_conformance.core.errors import Misuse, expected
from nnx_conformance.core.report import Settings
from nnx_conformance.project import recording
from nnx_conformance.project.checking import CheckOptions
from nnx_conformance.project.settings import find
from nnx_conformance.pytest_plugin import session_reports
from nnx_conformance.sandbox.jail import Jail

if TYPE_CHECKING:
    from nnx_conformance.adopt.recorder import ConstructionRecorder

SHARED = "nnx_conformance_folder"
SUFFIX = ".recorded"


class Laws:
    """The plugin of a session under `--nnx-laws`. A worker of pytest-xdist only records; the main process judges."""

    def __init__(self, config: pytest.Config, shared: Any) -> None:
        self._config = config
        self._shared = shared
        self._package: str = config.option.nnx_laws
        self._worker: dict[str, Any] | None = getattr(config, "workerinput", None)
        self._recorder: ConstructionRecorder | None = None
        self._stack = contextlib.ExitStack()
        self._lines: list[str] = []
        self._printed = False
        project, self._ends = find(config.rootpath), session_reports.baseline_until(config)
        if self._ends:
            project = recording.without_baseline(project)
        settings = Settings(
            max_examples=project.max_examples,
            strict=project.strict if config.option.nnx_strict is None else config.option.nnx_strict,
        )
        self._options = CheckOptions(project, project.contract, settings, jail=Jail(level=project.isolation or ""))

    def pytest_sessionstart(self) -> None:
        """Start recording before test modules are imported: they may make modules."""
        if self._worker is None and self._config.getoption("dist", "no") != "no":
            return  # the workers of pytest-xdist run the tests
        from nnx_conformance.adopt.recorder import ConstructionRecorder

        self._recorder = self._stack.enter_context(ConstructionRecorder(self._package).recording())

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """After the tests, save the recording for the main process, or judge it."""
        self._stack.close()
        if self._worker is not None:
            self._save(self._worker)
        elif not self._config.option.collectonly:
            self._judge(session, int(exitstatus))

    def _save(self, worker: dict[str, Any]) -> None:
        from nnx_conformance.adopt import records

        assert self._recorder is not None
        path = Path(worker[SHARED], f"{worker['workerid']}{SUFFIX}")
        records.save(self._recorder.session, path)

    def _judge(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self._lines = ["the session did not run to its end, so nothing is judged"]
            return
        from nnx_conformance.adopt import flow, summary
        from nnx_conformance.adopt.records import merged_sessions, save

        recorded = merged_sessions(self._sessions())
        if self._config.option.nnx_recorded:
            save(recorded, Path(self._config.option.nnx_recorded))
            return
        try:
            flow.known_package(recorded, self._package, "--nnx-laws")
            if not recorded.records and not recorded.unnamed:
                self._lines = [flow.NOTHING]
                return
            outcome = flow.laws(recorded, self._options, "pytest", self._say)
        except Misuse as error:
            self._lines = [str(error)]
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            return
        self._lines = list(summary.lines(outcome.adoption, outcome.results))
        if self._ends:
            reports = [each.report for each in outcome.results if each.report]
            self._lines += session_reports.recorded(self._options.project, reports, self._ends)
        if exitstatus == pytest.ExitCode.TESTS_FAILED:
            self._lines.append("some tests failed: what they made and called until then is judged all the same")
        elif not self._ends and any(each.violates for each in outcome.results):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _sessions(self) -> Iterator[Any]:
        from nnx_conformance.adopt import records

        if self._recorder is not None:
            yield self._recorder.session
            return
        for path in sorted(Path(self._shared()).glob(f"*{SUFFIX}")):
            yield records.read(path)

    def _say(self, text: str) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            if not self._printed:
                reporter.write_line("")
            self._printed = True
            reporter.write_line(f"nnx-laws: {text}")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the summary."""
        if self._lines:
            terminalreporter.section("nnx-laws")
            for line in self._lines:
                terminalreporter.write_line(line)


def prepare(config: pytest.Config, shared: Any) -> None:
    """Register the plugin for this session.

    Raises:
        pytest.UsageError: if the option or the settings are invalid.
    """
    package = config.option.nnx_laws
    try:
        parts = package.split(".")
        if package and (parts[-1] == "py" or not all(part.isidentifier() for part in parts)):
            fix = "Put the option last, `pytest tests --nnx-laws`, or name a package, `--nnx-laws my_package`."
            raise expected("the name of a package", "--nnx-laws", package, fix)
        config.pluginmanager.register(Laws(config, shared), "nnx-conformance-laws")
    except Misuse as error:
        raise pytest.UsageError(f"nnx-conformance: {error}") from error
