"""`watch`: judges, judges again when what the verdict hangs on is saved, and says what changed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from nnx_conformance.cli.group import cli
from nnx_conformance.project.watching import VerdictChange, WatchedTarget, change
from reports import finding, report

GOOD = (Path(__file__).parent / "candidates" / "good.py").read_text()
LOST = GOOD.replace("write(self.count, read(self.count) + 1.0)", "self.count = read(self.count) + 1.0").replace(
    "read(model.count)", "model.count"
)


def test_a_change_names_what_is_fixed_new_and_still_there() -> None:
    before, after = report(finding("wrapper-kept"), finding("quiet")), report(finding("quiet"), finding("empty-x"))
    assert change(before, after) == VerdictChange(fixed=("wrapper-kept",), new=("empty-x",), still_there=("quiet",))


def test_a_verdict_hangs_on_the_file_and_on_what_it_imports(tmp_path: Path) -> None:
    (tmp_path / "solution.py").write_text("import helper\n")
    (tmp_path / "helper.py").write_text("")
    (tmp_path / "other.py").write_text("")
    watched = WatchedTarget(str(tmp_path / "solution.py"), ())
    assert not watched.look()
    (tmp_path / "other.py").write_text("changed = 1")
    assert not watched.look()
    (tmp_path / "helper.py").write_text("changed = 1")
    assert watched.look()
    assert not watched.look()


def test_a_file_that_is_replaced_is_seen_and_one_that_is_gone_is_named(tmp_path: Path) -> None:
    file = tmp_path / "solution.py"
    file.write_text("1\n")
    watched = WatchedTarget(str(file), ())
    (tmp_path / "new").write_text("2\n")
    (tmp_path / "new").replace(file)
    assert watched.look()
    file.unlink()
    assert watched.look()
    assert watched.gone == [file.resolve()]
    file.write_text("3\n")
    assert watched.look()
    assert watched.gone == []


def test_without_the_extra_the_line_that_installs_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    (tmp_path / "solution.py").write_text("")
    refused = CliRunner().invoke(cli, ["watch", str(tmp_path / "solution.py")])
    assert refused.exit_code == 2
    assert (
        "`watch` needs watchfiles, which is not installed. Install it: pip install 'nnx-conformance[watch]'."
        in refused.output
    )


def test_a_watch_of_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("watchfiles")
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(cli, ["watch"])
    assert refused.exit_code == 2
    assert "Missing argument 'TARGET...'. Name what to watch, or set `candidates` in the settings." in refused.output


class Watch:
    """The command at work, and what it has printed so far."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        command = [sys.executable, "-m", "nnx_conformance", "watch", "solution.py", "--max-examples", "3"]
        with self.out.open("w") as out:
            self.process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT)

    def wait_for(self, text: str, times: int = 1) -> str:
        end = time.monotonic() + 300
        while (printed := self.out.read_text()).count(text) < times:
            assert time.monotonic() < end and self.process.poll() is None, printed
            time.sleep(0.1)
        return printed


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
def test_each_save_is_judged_until_ctrl_c(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")
    solution = tmp_path / "solution.py"
    solution.write_text(LOST)
    watch = Watch(tmp_path)
    try:
        watch.wait_for("watching solution.py; Ctrl-C ends it")
        solution.unlink()
        watch.wait_for("solution.py is gone; solution.py is judged again when it is back")
        solution.write_text(GOOD)
        printed = watch.wait_for("watching solution.py; Ctrl-C ends it", 2)
        assert "fixed        wrapper-kept" in printed
        assert "solution.py conforms" in printed
    finally:
        watch.process.send_signal(signal.SIGINT)
        status: Any = watch.process.wait(60)
    assert status == 0
    assert watch.out.read_text().endswith("nnx-conformance: no longer watching\n")
