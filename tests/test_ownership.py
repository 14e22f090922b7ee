"""Whose lines findings name: the candidate's folder, its project, packages installed as editable, and no library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import reports
from nnx_conformance.core.candidate import ownership
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.facts import Line
from nnx_conformance.core.report import Report, Settings
from nnx_conformance.judging import excerpt
from nnx_conformance.observe.source import Source, of_object
from nnx_conformance.project import checking
from nnx_conformance.project.checking import CheckOptions
from nnx_conformance.project.settings import Project

LAYER = """
from flax import nnx


class Counter(nnx.Module):
    def __init__(self):
        self.count = nnx.Variable(0.0)

    def __call__(self, x):
        self.count = self.count + 1.0
        return x
"""
SOLUTION = """
import sys
from pathlib import Path

import jax.numpy as jnp

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))
from mine.layers import Counter


def mutability_increment_count(seed, x, n_calls):
    model = Counter()
    last = x
    for _ in range(int(n_calls)):
        last = model(x)
    return jnp.array([1.0 * model.count, last.sum()])
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with its sources in `src` and its candidate in `tests`."""
    (tmp_path / "pyproject.toml").write_text("")
    for name, text in {"src/mine/layers.py": LAYER, "src/mine/__init__.py": "", "tests/solution.py": SOLUTION}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def owns(project: Path, file: str) -> bool:
    return Source(str(project / "tests" / "solution.py")).owns(file)


def test_every_file_of_the_project_is_the_candidates(project: Path) -> None:
    assert owns(project, str(project / "src" / "mine" / "layers.py"))


@pytest.mark.parametrize(
    "file",
    [
        json.__file__,
        excerpt.__file__,
        pytest.__file__,
        "<string>",
        os.path.join(os.sep, "elsewhere", "layers.py"),
    ],
)
def test_no_library_is_the_candidates(project: Path, file: str) -> None:
    assert not owns(project, file)


@pytest.mark.parametrize("below", [".venv/lib/python3/site-packages/a.py", "env/lib/dist-packages/a.py"])
def test_an_environment_in_the_project_is_not_the_candidates(project: Path, below: str) -> None:
    assert not owns(project, str(project / below))


def test_python_in_the_project_is_not_the_candidates(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(project / "python"))

    assert not owns(project, str(project / "python" / "lib" / "a.py"))


def test_the_root_is_the_nearest_project_and_not_beyond_the_repository(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "repository" / "part" / "tests").mkdir(parents=True)
    file = str(tmp_path / "repository" / "part" / "tests" / "a.py")

    assert ownership.project_root(file) == str(tmp_path / "repository")
    (tmp_path / "repository" / "part" / "pyproject.toml").write_text("")
    assert ownership.project_root(file) == str(tmp_path / "repository" / "part")


def test_a_package_installed_as_editable_is_owned_and_one_from_a_wheel_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, editable in (("mine", True), ("theirs", False)):
        folder = tmp_path / "site" / f"{name}-1.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        about = {"url": f"file://{tmp_path}/{name}%20here", "dir_info": {"editable": editable}}
        (folder / "direct_url.json").write_text(json.dumps(about))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    ownership.editable.cache_clear()
    try:
        assert str(tmp_path / "mine here") in ownership.editable()
        assert str(tmp_path / "theirs here") not in ownership.editable()
    finally:
        ownership.editable.cache_clear()


def test_a_package_that_the_settings_name_is_owned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "site-packages" / "vendored"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("")
    (tmp_path / "solution.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))

    roots = ownership.roots(str(tmp_path / "solution.py"), ("vendored",))

    assert ownership.within(str(installed / "layers.py"), roots)
    assert not ownership.within(str(tmp_path / "site-packages" / "other" / "layers.py"), roots)


def test_the_judge_believes_no_line_outside_of_the_project(project: Path) -> None:
    source = excerpt.of_target(parse("tests/solution.py"))
    assert source is not None
    (project.parent / "outside.py").write_text("x = 1\n")

    assert source.elsewhere(Line("../src/mine/layers.py", 9, "")) == "src/mine/layers.py"
    assert source.elsewhere(Line("../../outside.py", 1, "x = 1")) == ""
    assert source.elsewhere(Line("/etc/passwd", 1, "")) == ""
    assert source.elsewhere(Line("../src/mine/missing.py", 1, "")) == ""


def test_the_code_around_is_shown_of_what_the_candidate_imports_by_name(project: Path) -> None:
    (project / "src" / "answers.py").write_text("right = 1\n")
    source = excerpt.of_target(parse("tests/solution.py"))
    assert source is not None

    assert source.around(Line("../src/mine/layers.py", 10, "self.count = self.count + 1.0")) is not None
    assert source.around(Line("../src/answers.py", 1, "right = 1")) is None


def judged(folder: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "nnx_conformance", "check", *arguments, "--max-examples", "2", "--no-shrink"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.medium
def test_a_finding_names_the_line_in_the_other_folder(project: Path) -> None:
    status, said = judged(project, "tests/solution.py", "--check", "wrapper-kept")

    assert status == 1
    assert "  src/mine/layers.py:10   self.count = self.count + 1.0\n" in said


@pytest.mark.slow
def test_from_another_folder_the_path_is_relative_to_that(project: Path) -> None:
    _, said = judged(project / "tests", "solution.py", "--check", "wrapper-kept", "--format", "json")

    (found,) = json.loads(said)["reports"][0]["findings"]
    assert found["line"] == {"file": "../src/mine/layers.py", "number": 10, "source": "self.count = self.count + 1.0"}
    assert [text.strip() for text in found["excerpt"]["lines"]][4] == "self.count = self.count + 1.0"


@pytest.mark.slow
def test_a_subject_beside_the_tests_is_traced_to_its_layer_in_pytest(project: Path) -> None:
    (project / "tests" / "test_layers.py").write_text(
        "import sys\n"
        "sys.path.insert(0, 'src')\n"
        "from mine.layers import Counter\n"
        "import nnx_conformance\n"
        "\n"
        "\n"
        "def test_it(assert_conforms):\n"
        "    assert_conforms(nnx_conformance.Subject(lambda rngs: Counter(), [1.0]), 'module-laws')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=300)

    assert done.returncode == 1
    assert "src/mine/layers.py:10   self.count = self.count + 1.0" in done.stdout


def test_packages_of_the_settings_are_a_python_objects_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "site-packages" / "vendored"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("")
    (tmp_path / "test_mine.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    mine, layer = str(tmp_path / "test_mine.py"), str(installed / "layers.py")

    assert of_object(mine, ("vendored",)).owns(layer)
    assert not of_object(mine).owns(layer)


def test_a_python_object_is_judged_with_the_packages_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[object] = []

    def judge_object(*arguments: object) -> Report:
        given.extend(arguments)
        return reports.report()

    monkeypatch.setattr("nnx_conformance.judging.check.judge_object", judge_object)
    options = CheckOptions(Project(tmp_path, packages=("vendored",)), "mutability", Settings())
    checking.judged_object(options, judge_object, "here:judge_object")
    assert given[-1] == ("vendored",)
