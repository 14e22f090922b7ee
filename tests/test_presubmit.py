"""The gates before a submission, as their users have them: the real pre-commit, the GitHub action, a plain shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CANDIDATES = Path(__file__).parent / "candidates"
pytestmark = pytest.mark.skipif(not (ROOT / ".pre-commit-hooks.yaml").exists(), reason="runs without the checkout")

SETTINGS = '[tool.nnx-conformance]\ncandidates = ["solution.py"]\nmax-examples = 3\n'
FINDING = (
    "wrapper-kept  MUST  violated on 3 of 3 cases",
    "  solution.py:13   self.count = self.count + 1.0",
    "  in call 1 of 1, `Counter.count` went from nnx.Variable to jax.Array",
)
#: What is installed here serves other environments too: pip takes it for installed, so they get the kit alone, and the
#: Flax under test. (It leaves alone what lies outside of the environment that it installs into.)
HERE = {"PYTHONPATH": sysconfig.get_paths()["purelib"], "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
IDENTITY = {f"GIT_{who}_{what}": "nobody@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def run(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # A commit that runs these tests hands its own repository down in variables of git.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "GITHUB_"))}
    changed = {**kept, **IDENTITY, "COLUMNS": "80", "JAX_PLATFORMS": "cpu", **environment}
    return subprocess.run(command, cwd=folder, env=changed, capture_output=True, text=True, timeout=600)


def ok(folder: Path, *command: str, **environment: str) -> str:
    done = run(folder, *command, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def checkout(folder: Path) -> str:
    """A repository of this checkout as it is now, with what is not committed yet; the commit in it."""
    listed = ok(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    ok(folder, "git", "init", "-q")
    ok(folder, "git", "add", "-A")
    ok(folder, "git", "commit", "-qm", "as it is")
    return ok(folder, "git", "rev-parse", "HEAD").strip()


@pytest.mark.slow
def test_pre_commit_stops_a_bad_change_and_is_fast_on_what_has_not_changed(tmp_path: Path) -> None:
    hooks, project = tmp_path / "hooks", tmp_path / "project"
    hooks.mkdir()
    project.mkdir()
    revision = checkout(hooks)
    home = {"PRE_COMMIT_HOME": str(tmp_path / "home")}
    hook = {"repo": str(hooks), "rev": revision, "hooks": [{"id": "nnx-conformance"}]}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [hook]}))
    (project / "pyproject.toml").write_text(SETTINGS)
    (project / ".gitignore").write_text(".nnx-conformance\n")
    shutil.copy(CANDIDATES / "loses_wrapper.py", project / "solution.py")
    pre_commit = (sys.executable, "-m", "pre_commit")
    ok(project, "git", "init", "-q")
    ok(project, *pre_commit, "install", "--install-hooks", **home, **HERE)
    ok(project, "git", "add", "-A")

    stopped = run(project, "git", "commit", "-m", "a bad change", **home, **HERE)
    assert stopped.returncode == 1
    for line in FINDING:
        assert line in stopped.stdout + stopped.stderr
    assert run(project, "git", "rev-parse", "HEAD").returncode != 0

    shutil.copy(CANDIDATES / "good.py", project / "solution.py")
    ok(project, "git", "add", "-A")
    started = time.monotonic()
    ok(project, "git", "commit", "-m", "a good change", **home, **HERE)
    judged = time.monotonic() - started

    again = ok(project, *pre_commit, "run", "--all-files", "--verbose", **home, **HERE)
    assert "solution.py: nothing has changed; this is the verdict of an earlier run" in again
    assert "solution.py conforms" in again
    (seconds,) = re.findall(r"^- duration: ([\d.]+)s$", again, flags=re.MULTILINE)
    assert float(seconds) < judged / 3  # some half second after some ten; how long each takes hangs on the machine


def action() -> Any:
    return yaml.safe_load((ROOT / "action.yml").read_text())


def test_the_action_hands_its_inputs_to_the_script_as_variables() -> None:
    step = action()["runs"]["steps"][-1]
    assert step["run"] == '"$GITHUB_ACTION_PATH/.ci/presubmit"'
    assert (ROOT / ".ci" / "presubmit").stat().st_mode & 0o111
    given = {name: value for name, value in step["env"].items() if name.startswith("NNX_")}
    assert given == {f"NNX_{name.upper()}": f"${{{{ inputs.{name} }}}}" for name in given_by_lines()}
    assert "inputs." not in step["run"]


def given_by_lines() -> list[str]:
    return [name for name, told in action()["inputs"].items() if "a line" in told["description"]]


def test_every_input_of_the_action_is_used() -> None:
    text = (ROOT / "action.yml").read_text()
    for name, told in action()["inputs"].items():
        assert f"${{{{ inputs.{name} }}}}" in text
        assert told["default"] == ""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project, and a stand-in for an installed kit that writes its arguments."""
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    binaries = tmp_path / "environment" / "bin"
    binaries.mkdir(parents=True)
    written = '#!/bin/sh\nfor word in "$@"; do printf "%s [%s]\\n" "$(basename "$0")" "$word"; done\n'
    for name, end in (("python", ""), ("nnx-conformance", "exit 1\n")):
        (binaries / name).write_text(written + end)
        (binaries / name).chmod(0o755)
    return tmp_path


def presubmit(project: Path, *given: str, **variables: str) -> tuple[int, list[str]]:
    script = str(ROOT / ".ci" / "presubmit")
    done = run(project, script, *given, NNX_ENVIRONMENT=str(project / "environment"), **variables)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_a_plain_shell_judges_what_the_settings_name(project: Path) -> None:
    status, lines = presubmit(project)
    assert status == 1
    assert f"python [{ROOT}]" in lines
    assert lines[-1] == "nnx-conformance [check]"


def test_lines_become_words_and_nothing_else(project: Path) -> None:
    _, lines = presubmit(
        project,
        "last.py",
        NNX_TARGETS="a b.py\n\n$(touch made).py\n",
        NNX_OPTIONS="--seed\n3\n",
        NNX_REQUIREMENTS="flax==0.12.8\n",
    )
    words = [line.removeprefix("nnx-conformance ") for line in lines if line.startswith("nnx-conformance")]
    assert words == ["[check]", "[--seed]", "[3]", "[a b.py]", "[$(touch made).py]", "[last.py]"]
    assert "python [flax==0.12.8]" in lines
    assert not (project / "made").exists()


def test_on_github_findings_become_annotations(project: Path) -> None:
    _, lines = presubmit(project, GITHUB_ACTIONS="true")
    assert lines[-3:] == ["nnx-conformance [check]", "nnx-conformance [--format]", "nnx-conformance [github]"]


def test_what_fails_before_judging_is_no_verdict(project: Path) -> None:
    (project / "environment" / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    assert presubmit(project) == (3, [])


@pytest.mark.slow
def test_the_script_installs_the_kit_and_judges(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    shutil.copy(CANDIDATES / "loses_wrapper.py", tmp_path / "solution.py")
    done = run(tmp_path, str(ROOT / ".ci" / "presubmit"), NNX_PYTHON=sys.executable, **HERE)
    assert done.returncode == 1, done.stderr
    for line in FINDING:
        assert line in done.stdout
