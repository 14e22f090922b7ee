"""Notebooks as candidates: what of their cells runs, where findings are, and the magic that judges a cell."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from nnx_conformance.cli import cell_magic
from nnx_conformance.cli.group import cli
from nnx_conformance.core.candidate import notebook
from nnx_conformance.core.candidate.loaded import NotLoaded
from nnx_conformance.core.candidate.notebook import NotANotebook
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.errors import Misuse
from nnx_conformance.core.facts import Line
from nnx_conformance.core.report import Excerpt
from nnx_conformance.grading import submissions
from nnx_conformance.judging import excerpt
from nnx_conformance.observe.load import load
from nnx_conformance.project import tracks
from nnx_conformance.reports import json as json_report
from nnx_conformance.reports.formats import get
from nnx_conformance.reports.terminal import report_text
from reports import finding, report

pytest_plugins = ["pytester"]

IMPORTS = "%pip install flax\nimport jax.numpy as jnp\nfrom flax import nnx"
COUNTER = """\
class Counter(nnx.Module):
    def __init__(self, rngs):
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count = self.count + 1.0
        return x"""
FUNCTION = """\
def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    for _ in range(int(n_calls)):
        x = model(x)
    return jnp.array([model.count, x.sum()])"""
AT = Line("solution.ipynb", 6, "self.count = self.count + 1.0", 2)


def text(*cells: str | list[str], **changes: Any) -> str:
    made = [{"cell_type": "markdown", "source": "# Exercise"}]
    made += [{"cell_type": "code", "source": cell, "outputs": [{"text": "a picture"}]} for cell in cells]  # type: ignore[dict-item]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made, **changes})


def python(*cells: str | list[str]) -> notebook.Notebook:
    return notebook.parsed(text(*cells).encode())


@pytest.fixture
def solution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "solution.ipynb"
    path.write_text(text(IMPORTS, "", COUNTER, FUNCTION))
    return path


def loaded(target: str) -> NotLoaded:
    before = dict(sys.modules)
    try:
        found = load(parse(target), "mutability_increment_count", ("seed", "x", "n_calls"))
    finally:
        for name in sys.modules.keys() - before.keys():
            del sys.modules[name]
    assert isinstance(found, NotLoaded)
    return found


@pytest.mark.parametrize(
    ("cell", "runs", "left_out"),
    [
        ("a = 1\n%time f()\nb = 2", "a = 1\n\nb = 2", ["cell 1 line 2 `%time f()`"]),
        ("!ls\nfiles = !ls\nx = %sql 1\nlen?\na = 1", "\n\n\n\na = 1", 4),
        ("if True:\n    !ls\n", "if True:\n    pass", 1),
        ("!pip install a \\\n  b\na = 1", "\n\na = 1", 1),
        ("%%time\na = 1", "\na = 1", 0),
        ("\n%%nnx_conformance --seed 1\n%precision 3\na = 1", "\n\n\na = 1", 1),
        ("%%bash\necho hi", "\n", ["cell 1 line 1 `%%bash`"]),
        ("a = (b\n  % c)\nd = [\n!x\n]", "a = (b\n  % c)\nd = [\n!x\n]", 0),
        ('a = """(\n%d "\n!no \\""""\n!yes', 'a = """(\n%d "\n!no \\""""\n', 1),
        ("a = 'it''s (' # it's ( [\n%x", "a = 'it''s (' # it's ( [\n", 1),
        ("a = 7 \\\n  % 2\nb = 'don\\'t \\\n %s'\n%x", "a = 7 \\\n  % 2\nb = 'don\\'t \\\n %s'\n", 1),
        (["a = 1\r\n", "b = 2"], "a = 1\nb = 2", 0),
    ],
)
def test_magics_and_shell_lines_are_left_out_and_all_lines_keep_their_numbers(
    cell: str | list[str], runs: str, left_out: int | list[str]
) -> None:
    read = python(cell)
    assert read.cells == (runs,)
    assert (list(read.left_out) if isinstance(left_out, list) else len(read.left_out)) == left_out


def test_a_note_names_some_of_what_was_left_out() -> None:
    assert python("a = 1").note == ""
    assert python("!a", "%%bash\nls", f"!{'b' * 50}", "?c").note == (
        "we left out magics and shell lines: cell 1 line 1 `!a`, cell 2 line 1 `%%bash`, "
        f"cell 3 line 1 `!{'b' * 36}...` and 1 more"
    )


def test_a_line_of_all_cells_is_one_of_a_cell() -> None:
    read = python("a\nb", "c", "d\ne")
    assert [read.place(number) for number in range(1, 6)] == [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2)]


def test_cells_run_in_order_and_a_later_one_may_import_from_the_future() -> None:
    names: dict[str, Any] = {"__name__": "cells"}
    cells = ("a = 1", "from __future__ import annotations", "def f(x: missing): ...\nb = a + 1")
    notebook.run_cells(cells, "x.ipynb", names)
    assert names["b"] == 2
    assert names["f"].__code__.co_firstlineno == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("x = 1\n", "it is no JSON (Expecting value: line 1 column 1 (char 0)). Save it again in Jupyter."),
        ("[1]", "it is JSON without `nbformat`. Save it again in Jupyter."),
        ("[" * 100_000, "it is no JSON ("),
        (
            text(nbformat=3),
            "its nbformat is 3, and 4 is read. Convert it: `jupyter nbconvert --to notebook --inplace FILE`.",
        ),
        (text(" \n"), "it has no code cell. Put the candidate into one."),
    ],
)
def test_what_is_no_notebook_is_misuse_and_says_why(content: str, reason: str, solution: Path) -> None:
    solution.write_text(content)
    found = loaded("solution.ipynb")
    assert found.misuse
    assert found.cause == "the file is no notebook"
    assert found.reason.startswith(f"Expected a Jupyter notebook but solution.ipynb is none: {reason}")


def test_a_notebook_that_is_too_large_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "LARGEST", 1 << 20)
    with pytest.raises(NotANotebook, match=r"^it is larger than 1 MiB\. Clear its outputs\.$"):
        notebook.parsed(b" " * ((1 << 20) + 1))


def test_a_name_that_no_cell_defines_is_misuse(solution: Path) -> None:
    found = loaded("solution.ipynb::mutability_increment")
    assert found.reason == (
        "solution.ipynb::mutability_increment holds no function 'mutability_increment'. "
        "Did you mean 'mutability_increment_count'?"
    )


def test_an_exception_of_a_cell_is_at_its_line(solution: Path) -> None:
    solution.write_text(text("a = 1", "\nb = (\n  a / 0)"))
    found = loaded("solution.ipynb")
    assert (found.misuse, found.reason) == (False, "importing it raised ZeroDivisionError: division by zero")
    assert found.raised is not None
    assert found.raised.line == Line("solution.ipynb", 3, "a / 0)", 2)
    solution.write_text(text("a = 1", "b = ="))
    assert str(loaded("solution.ipynb").raised.line) == "solution.ipynb cell 2 line 1"  # type: ignore[union-attr]


def test_the_judge_reads_cells_too(solution: Path) -> None:
    solution.write_text(text("import helper\nA = 77", COUNTER))
    source = excerpt.of_target(parse("solution.ipynb"))
    assert source is not None
    assert source.around(AT) == Excerpt(2, tuple(COUNTER.split("\n")[1:]))
    assert source.around(Line("solution.ipynb", 6, "something else", 2)) is None
    assert source.around(Line("solution.ipynb", 6, AT.source, 9)) is None
    (solution.parent / "helper.py").write_text("HELP = 1\n")
    assert source.around(Line("helper.py", 1, "HELP = 1")) == Excerpt(1, ("HELP = 1",))


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("terminal", "  work/solution.ipynb cell 2 line 6   self.count = self.count + 1.0\n"),
        ("concise", "work/solution.ipynb cell 2 line 6: MUST wrapper-kept in call 1"),
        ("markdown", "solution.ipynb cell 2 line 6"),
        ("html", "<figcaption>work/solution.ipynb cell 2 line 6</figcaption>"),
        ("github", "::error title=wrapper-kept (MUST),file=work/solution.ipynb::cell 2 line 6: in call 1"),
        ("gitlab", '"description": "cell 2 line 6: in call 1'),
        ("rdjson", '"message": "cell 2 line 6: in call 1'),
        ("sarif", '"text": "cell 2 line 6: in call 1'),
        ("junit", 'message="cell 2 line 6: in call 1'),
        ("json", '"cell": 2'),
        ("gradescope", "solution.ipynb cell 2 line 6"),
    ],
)
def test_every_format_names_the_cell_and_its_line(form: str, shown: str) -> None:
    file = io.StringIO()
    get(form).write([report(finding(line=AT), candidate="solution.ipynb", source="work/solution.ipynb")], file)
    assert shown in file.getvalue()


def test_a_report_says_what_was_left_out() -> None:
    noted = report(note=python("!a").note)
    assert "\n  we left out magics and shell lines: cell 1 line 1 `!a`\n" in report_text(noted)
    assert json.loads(json_report.document([noted]))["reports"][0]["note"] == noted.note
    file = io.StringIO()
    get("html").write([noted], file)
    assert "we left out magics and shell lines: cell 1 line 1 <code>!a</code>" in file.getvalue()


def test_a_folder_of_submissions_holds_notebooks_too(tmp_path: Path) -> None:
    (tmp_path / "ada.py").write_text("a = 1\n")
    (tmp_path / "ben.ipynb").write_text(text("a = 1"))
    (tmp_path / "cy.ipynb").write_text("no notebook")
    read = submissions.read(str(tmp_path))
    assert [each.id for each in read] == ["ada.py", "ben.ipynb", "cy.ipynb"]
    assert [submissions.file_name(each.id) for each in read] == ["solution.py", "solution.ipynb", "solution.ipynb"]
    assert b"picture" not in read[1].source
    assert notebook.parsed(read[1].source) == python("a = 1")
    assert read[2].source == b"no notebook"


def test_a_track_takes_a_notebook_where_there_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "mutability.ipynb").write_text(text("a = 1"))
    (tmp_path / "lifted.ipynb").write_text(text("a = 1"))
    (tmp_path / "lifted.py").write_text("a = 1\n")
    solved = {
        each.contract: Path(each.path).name for each in tracks.solutions(tracks.NNX, str(tmp_path)) if each.exists
    }
    assert solved == {"mutability": "mutability.ipynb", "lifted": "lifted.py"}


@pytest.mark.slow
def test_check_grade_and_pytest_judge_a_notebook(solution: Path, pytester: pytest.Pytester) -> None:
    options = ["--max-examples", "4", "--no-shrink"]
    done = CliRunner().invoke(cli, ["check", str(solution), "--format", "concise", *options])
    assert done.exit_code == 1
    assert "solution.ipynb cell 2 line 6: MUST wrapper-kept in call 1 of " in done.stdout
    done = CliRunner().invoke(cli, ["grade", str(solution), "--by-candidate", "--results", "r.sqlite3", *options])
    assert done.exit_code == 1
    assert "wrapper-kept" in done.stdout
    ran = pytester.runpytest_inprocess("--nnx-candidate", str(solution), "-k", "wrapper-kept or returns-pair")
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(["*solution.ipynb cell 2 line 6*"])


@pytest.mark.slow
def test_the_script_of_a_finding_runs_the_cells_without_the_kit(solution: Path) -> None:
    import subprocess

    subject = "subject = {'make': Counter, 'inputs': [jnp.ones((2, 3))]}"
    solution.write_text(text(IMPORTS, COUNTER, subject))
    done = CliRunner().invoke(cli, ["check", str(solution), "--contract", "module-laws", "--max-examples", "8"])
    assert "python .nnx-conformance/wrapper-kept" in done.stdout
    (script,) = Path(".nnx-conformance").glob("wrapper-kept*.py")
    ran = subprocess.run([sys.executable, "-W", "ignore", script], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 1
    assert "wrapper-kept, step 1" in ran.stderr
    assert "import nnx_conformance" not in script.read_text()


class Shell:
    """As much of IPython as the magic asks for."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}
        self.ran: list[str] = []
        self.transform_cell = str
        self.success = True

    def run_cell(self, cell: str, store_history: bool) -> Shell:
        self.ran.append(cell)
        exec(cell, self.user_ns)
        return self


@pytest.mark.parametrize(
    ("line", "cell", "wanted"),
    [
        ("", "def lifted_count(): ...\ndef helper(): ...", ("lifted_count", "lifted")),
        ("", "class Layer(nnx.Module): ...\nn = 1", ("Layer", "module-laws")),
        ("", "subject = {}", ("subject", "module-laws")),
        ("", "class C(nnx.Module): ...\ndef running_mean(): ...", ("running_mean", "running-mean")),
        ("mine", "def mine(): ...\ndef running_mean(): ...", ("mine", "mutability")),
        ("mine --contract lifted", "def mine(): ...", ("mine", "lifted")),
        ("--contract lifted", "def lifted_count(): ...", ("lifted_count", "lifted")),
        ("Layer", "class Layer(nnx.Module): ...\nclass Other(nnx.Module): ...", ("Layer", "module-laws")),
    ],
)
def test_the_magic_chooses_what_the_cell_defines(
    line: str, cell: str, wanted: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flax import nnx

    shell, asked = Shell(), []
    shell.user_ns["nnx"] = nnx
    monkeypatch.setattr(cell_magic, "check", lambda *given, **_: asked.append(given))
    cell_magic.judged(shell, line, cell)
    assert shell.ran == [f"# %%nnx_conformance {line}\n{cell}"]
    assert asked == [(shell.user_ns[wanted[0]], wanted[1])]


@pytest.mark.parametrize(
    ("line", "cell", "message"),
    [
        (
            "mine",
            "a = 1",
            "Expected a name that the notebook defines but got name='mine' (type=str). This cell defines a.",
        ),
        ("--contract liftd", "a = 1", "Did you mean 'lifted'?"),
        (
            "--contract lifted",
            "a = 1",
            "Expected a cell that defines lifted_count but got cell='a' (type=str). Name it: `%%nnx_conformance NAME`.",
        ),
    ],
)
def test_a_cell_without_a_candidate_is_misuse(line: str, cell: str, message: str) -> None:
    with pytest.raises(Misuse) as raised:
        cell_magic.judged(Shell(), line, cell)
    assert str(raised.value).endswith(message)


def test_in_ipython_the_magic_shows_the_report_and_misuse(monkeypatch: pytest.MonkeyPatch) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.setattr(cell_magic, "check", lambda *given, **_: report(finding()))
    shell = InteractiveShell()
    shell.run_cell("%load_ext nnx_conformance")
    shell.run_cell("%%nnx_conformance --seed 3\ndef running_mean(): ...", store_history=True)
    shown = shell.user_ns["_"]
    assert shell.display_formatter is not None
    shows = shell.display_formatter.formatters
    shows["text/html"].enabled = True
    assert "nnxc-finding" in shows["text/html"](shown)
    assert shows["text/plain"](shown).startswith("wrapper-kept  MUST  violated on 62 of 200 cases")
    for line in ("--sed 3", "nothing"):
        assert "UsageError" in type(shell.run_cell(f"%%nnx_conformance {line}\n1").error_in_exec).__name__
    shell.run_cell("%%nnx_conformance\n1 / 0", store_history=True)
    assert shell.user_ns["_"] == 1
