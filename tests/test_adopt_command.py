"""`pytest --nnx-laws` and `nnx-conformance adopt`, as their users run them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from nnx_conformance.adopt import summary
from nnx_conformance.cli.group import cli
from nnx_conformance.core.report import Finding
from nnx_conformance.project.subject_lists import expanded

pytest_plugins = ["pytester"]

LAYERS = """
import jax.numpy as jnp
from flax import nnx


class Counting(nnx.Module):
    def __init__(self):
        self.position = 0

    def __call__(self, x):
        self.position += 1
        return x * self.position


class Right(nnx.Module):
    def __init__(self, rngs):
        self.weight = nnx.Param(jnp.ones(3))

    def __call__(self, x):
        return x * self.weight[...]
"""
TESTS = """
import jax.numpy as jnp
import pytest
from flax import nnx
from layers import Counting, Right


class TestCounting:
    @pytest.fixture
    def x(self):
        return jnp.arange(3.0)

    def test_counts(self, x):
        assert Counting()(x).shape == (3,)


@pytest.mark.parametrize("seed", [0, 1])
def test_right(seed):
    assert Right(nnx.Rngs(seed))(jnp.arange(3.0)).shape == (3,)
"""
QUICKLY = "[tool.nnx-conformance]\nmax-examples = 2\n"

#: Its name is none of Python's, as with examples that are numbered.
SCRIPT = """
import sys

import layers
from flax import nnx

class Own(nnx.Module):
    def __call__(self, x):
        return x

if __name__ == "__main__":
    layers.Counting()(2.0)
    Own()(2.0)
    assert sys.argv == ["01_train.py", "a"]
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with a right module, and one whose position is a number of Python; both have ordinary tests."""
    pytester.makepyprojecttoml(QUICKLY)
    pytester.makepyfile(layers=LAYERS, test_layers=TESTS)
    return pytester


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_the_modules_of_ordinary_tests_are_judged(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    result = project.runpytest_subprocess("--nnx-laws", *workers)
    text = result.stdout.str()
    assert "layers.Counting  does not conform" in text
    assert "layers.py:10   self.position += 1" in text
    assert "2 classes recorded, 2 adopted, 1 violates a law (layers.Counting)" in text
    assert "3 passed" in text
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.slow
def test_subjects_that_are_written_are_candidates_and_answer_for_their_classes(project: pytest.Pytester) -> None:
    result = project.run("nnx-conformance", "adopt", "test_layers.py", "-q", "--write", "nnx_subjects.py")
    assert result.outlines[-1] == "2 subjects written to nnx_subjects.py"
    assert result.ret == 0
    again = project.run("nnx-conformance", "adopt", "test_layers.py", "-q", "--write", "nnx_subjects.py")
    assert again.outlines[-1] == "0 subjects written to nnx_subjects.py; 2 are in it already"
    checked = project.run("nnx-conformance", "check", "nnx_subjects.py", "--contract", "module-laws", "-q")
    assert "nnx_subjects.py::Counting does not conform" in checked.stdout.str()
    assert checked.ret == 1
    one = project.run("nnx-conformance", "check", "nnx_subjects.py::Right", "--contract", "module-laws", "-q")
    assert one.ret == 0


@pytest.mark.slow
def test_a_script_is_recorded_as_it_runs(project: pytest.Pytester) -> None:
    (project.path / "01_train.py").write_text(SCRIPT)
    result = project.run("nnx-conformance", "adopt", "--write", "nnx_subjects.py", "--run", "01_train.py", "a")
    assert result.outlines[-1] == "2 subjects written to nnx_subjects.py"
    text = (project.path / "nnx_subjects.py").read_text()
    assert "from what `01_train.py` made and called" in text
    assert 'script_01_train = importlib.import_module("01_train")' in text
    assert "make=lambda rngs: script_01_train.Own()," in text


def test_a_session_without_modules_says_so_and_ends_as_its_tests(project: pytest.Pytester) -> None:
    project.makepyfile(test_layers="def test_nothing():\n    pass\n")
    result = project.runpytest_subprocess("--nnx-laws")
    result.stdout.fnmatch_lines(["the tests made no module of their own (an nnx.Module or nnx.Pytree that is not*"])
    assert result.ret == 0


@pytest.mark.medium
def test_a_package_that_nothing_matches_is_misuse(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("--nnx-laws", "layer")
    result.stdout.fnmatch_lines(
        ["Expected the package of modules that are made but got --nnx-laws='layer' (type=str). Did you mean 'layers'?"]
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_tests_in_the_place_of_a_package_are_misuse(project: pytest.Pytester) -> None:
    result = project.runpytest("--nnx-laws", "test_layers.py")
    result.stderr.fnmatch_lines(
        [
            "*Expected the name of a package but got --nnx-laws='test_layers.py' (type=str). "
            "Put the option last, `pytest tests --nnx-laws`, or name a package, `--nnx-laws my_package`."
        ]
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.medium
def test_a_session_that_ends_early_is_not_judged(project: pytest.Pytester) -> None:
    project.makepyfile(test_layers="import layers\nlayers.Counting()(1.0)\nraise KeyboardInterrupt\n")
    result = project.runpytest_subprocess("--nnx-laws")
    result.stdout.fnmatch_lines(["the session did not run to its end, so nothing is judged"])


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["adopt", *words])
    return result.exit_code, result.output


def test_misuse_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("x = 1\n")
    status, text = run("--write", "mine.py")
    assert (status, text.count("Expected a new file, or one that `adopt` wrote but got --write='mine.py'")) == (2, 1)
    assert run("--run", "none.py") == (
        2,
        "nnx-conformance: Expected a Python script that exists but got --run='none.py' (type=str). "
        "Give its path, `--run train.py`.\n",
    )
    assert run("--run") == (
        2,
        "nnx-conformance: Expected a script but got none. Write `nnx-conformance adopt --run train.py`.\n",
    )


@pytest.mark.medium
def test_tests_that_do_not_run_are_misuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    status, text = run("none.py")
    assert status == 2
    assert "Expected tests that run to their end but got exit status of pytest=4 (type=int)." in text


def test_a_file_of_several_subjects_is_all_of_them(tmp_path: Path) -> None:
    file = tmp_path / "subjects.py"
    file.write_text(
        "from kit import Subject\nA = Subject(make=a)\nB = {'make': b, 'inputs': [1]}\n_C = Subject()\nD = 1\n"
    )
    assert expanded([str(file)], "module-laws") == (f"{file}::A", f"{file}::B")
    assert expanded([str(file), f"{file}::B"], "mutability") == (str(file), f"{file}::B")
    file.write_text("subject = Subject(make=a)\nOther = Subject(make=b)\n")
    assert expanded([str(file)], "module-laws") == (str(file),)


def test_a_finding_that_may_be_on_purpose_is_a_question() -> None:
    finding = Finding("params-untouched", "MUST", "", "", "", None, "", "", None, 1, 1)
    assert summary.question(finding, "Router", "nnx_subjects.py") == (
        "Is it on purpose that a call rewrites a Param? If so, declare `traits={'rewrites_param': True}` for Router in "
        "nnx_subjects.py; if not, fix it as the remedy says."
    )
    other = Finding("no-hidden-state", "MUST", "", "", "", None, "", "", None, 1, 1)
    assert summary.question(other, "Router", "nnx_subjects.py") == ""
