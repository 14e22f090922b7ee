"""Stored findings: cases come back to the last bit, and `replay` tells violated, fixed and what cannot be told."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nnx_conformance.cli.group import cli
from nnx_conformance.core import case as cases
from nnx_conformance.core.case import Argument, Case
from nnx_conformance.core.report import Settings
from nnx_conformance.core.wire import DTYPES, dtype
from nnx_conformance.judging.check import judge_target
from nnx_conformance.process.limits import Limits
from nnx_conformance.project.stored_findings import case_data, case_from, with_replays

CANDIDATES = Path(__file__).parent / "candidates"
GOOD = (CANDIDATES / "good.py").read_text()
WRONG = (CANDIDATES / "loses_wrapper.py").read_text()
CHECK = "wrapper-kept"
CALL = "    model = Counter("


@st.composite
def arguments(draw: st.DrawFn) -> Argument:
    """Arguments of any dtype, shape and bytes, and built-in numbers."""
    name = draw(st.text(max_size=6))
    if draw(st.booleans()):
        return cases.python(name, draw(st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats()))
    kind = dtype(draw(st.sampled_from(sorted(DTYPES - {"bool"}))))
    shape = draw(st.lists(st.integers(0, 4), max_size=3))
    size = int(np.prod(shape, dtype=int)) * kind.itemsize
    data = np.frombuffer(draw(st.binary(min_size=size, max_size=size)), kind).reshape(shape)
    return Argument(name, draw(st.sampled_from(("numpy", "jax"))), data)


def strict(text: str) -> Any:
    """JSON as the standard has it, without NaN and infinities."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


SPECIALS = np.array([0x7FC00001, 0xFFC12345, 0x80000000, 0x00000001, 0x7F800000], np.uint32).view(np.float32)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.builds(Case, st.text(max_size=8), st.lists(arguments(), max_size=3).map(tuple)))
@example(Case("core", (cases.jax("x", SPECIALS), cases.python("seed", -0.0), cases.numpy("n", np.float16("nan")))))
@example(Case("core", (Argument("x", "jax", np.array([1, 0x8000, 0x7FC1], np.uint16).view(dtype("bfloat16"))),)))
def test_a_case_comes_back_to_the_last_bit(case: Case) -> None:
    back = case_from(strict(json.dumps(case_data(case), allow_nan=False)))
    assert back.key == case.key
    assert (back.domain, str(back)) == (case.domain, str(case))
    for was, now in zip(case.arguments, back.arguments, strict=True):
        assert (now.name, now.holder) == (was.name, was.holder)
        assert (now.data.dtype, now.data.shape) == (was.data.dtype, was.data.shape)
        assert now.data.tobytes() == was.data.tobytes()


def test_cases_that_differ_in_one_bit_have_other_keys() -> None:
    zero, minus = (Case("core", (cases.jax("x", np.array([value], np.float32)),)) for value in (0.0, -0.0))
    assert case_from(case_data(zero)).key != case_from(case_data(minus)).key


def test_a_stored_case_is_readable_beside_its_bytes() -> None:
    data = case_data(Case("core", (cases.jax("x", np.array([0.5, np.nan], np.float32)), cases.python("seed", 7.0))))
    assert data is not None
    assert data["text"] == "x=[0.5, nan]  seed=7.0"
    assert data["arguments"][0]["dtype"] == "float32"


def run(*given: str) -> int:
    """The exit status of a command."""
    with pytest.raises(SystemExit) as left:
        cli([*given], prog_name="nnx-conformance")
    return int(left.value.code or 0)


@pytest.fixture(scope="module")
def finding(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A candidate that loses its wrapper, and the stored finding that says so."""
    folder = tmp_path_factory.mktemp("replayed")
    candidate = folder / "candidate.py"
    candidate.write_text(WRONG)
    wanted = Settings(max_examples=1, shrink=False, checks=(CHECK,))
    report = with_replays(judge_target(str(candidate), "mutability", wanted, Limits()), folder / "stored")
    (stored,) = (folder / "stored").iterdir()
    assert report.findings[0].replay == f"nnx-conformance replay {stored}"
    return candidate, stored


@pytest.mark.medium
@pytest.mark.parametrize(
    ("source", "status", "outcome"),
    [
        pytest.param(WRONG, 1, "still violated", id="as it was"),
        pytest.param(GOOD, 0, "fixed", id="fixed"),
        pytest.param("import no_such_helper\n", 3, "cannot be replayed", id="does not load"),
        pytest.param(
            WRONG.replace(CALL, "    raise ValueError\n" + CALL),
            3,
            "cannot be replayed",
            id="raises before",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            WRONG.replace(CALL, "    import os\n    os._exit(0)\n" + CALL),
            3,
            "cannot be replayed",
            id="leaves",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_replay_tells_what_became_of_the_finding(
    finding: tuple[Path, Path],
    source: str,
    status: int,
    outcome: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "500")
    candidate, stored = finding
    candidate.write_text(source)
    assert run("replay", str(stored)) == status
    first, why, case = capsys.readouterr().out.splitlines()
    assert first == f"{CHECK} of {candidate}: {outcome}"
    assert why.strip()
    assert case == "  case  seed=0.0  x=[0.]  n_calls=1.0"


def test_a_replay_of_a_function_that_is_gone_is_misuse(
    finding: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    candidate, stored = finding
    candidate.write_text("answer = 42\n")
    assert run("replay", str(stored)) == 2
    assert "holds no function 'mutability_increment_count'" in capsys.readouterr().err


def test_a_replay_of_a_file_that_is_gone_is_misuse(
    finding: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = json.loads(finding[1].read_text())
    moved = tmp_path / "moved.json"
    moved.write_text(json.dumps({**data, "target": str(tmp_path / "gone.py")}))
    assert run("replay", str(moved)) == 2
    assert "No such file." in capsys.readouterr().err


@pytest.mark.slow
def test_a_replay_shows_its_case(
    finding: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    candidate, stored = finding
    candidate.write_text(WRONG)
    case = Case(
        "core",
        (cases.python("seed", 0.0), cases.jax("x", np.array([np.nan], np.float32)), cases.python("n_calls", 1.0)),
    )
    path = tmp_path / "not_finite.json"
    path.write_text(json.dumps({**json.loads(stored.read_text()), "case": case_data(case)}))
    assert run("replay", str(path)) == 1
    assert "x=[nan]" in capsys.readouterr().out


CASE = case_data(Case("core", (cases.jax("x", np.array([0.0], np.float32)),)))
RIGHT = {
    "kind": "nnx-conformance finding",
    "version": 1,
    "target": str(CANDIDATES / "good.py"),
    "contract": "mutability",
    "check": CHECK,
    "what": "",
    "case": CASE,
}
ARGUMENT = {"name": "x", "holder": "jax", "dtype": "float32", "shape": [1], "text": "", "base64": "AAAAAA=="}


def with_argument(**changed: Any) -> str:
    return json.dumps({**RIGHT, "case": {"domain": "core", "arguments": [{**ARGUMENT, **changed}]}})


BAD = {
    "empty": ("", "Expected a stored finding but got FILE="),
    "no JSON": ("{", "Expected a stored finding but got FILE="),
    "binary": ("\0\x01\x02", "Expected a stored finding but got FILE="),
    "foreign": ('{"name": "package", "version": 1}', "Expected a stored finding but got FILE="),
    "list": ("[]", "Expected a stored finding but got FILE="),
    "other version": (json.dumps({**RIGHT, "version": 99}), "stored by another version of the kit (format 99)"),
    "no case": (json.dumps({**RIGHT, "case": None}), "It is damaged: "),
    "bytes missing": (with_argument(base64="AAA="), "It is damaged: "),
    "bytes too many": (with_argument(base64="AAAAAAAAAAA="), "It is damaged: "),
    "no base64": (with_argument(base64="?!"), "It is damaged: "),
    "unknown dtype": (with_argument(dtype="object"), "It is damaged: no argument: x"),
    "unknown holder": (with_argument(holder="torch"), "It is damaged: no argument: x"),
    "unknown contract": (json.dumps({**RIGHT, "contract": "mutabilty"}), "Did you mean 'mutability'?"),
    "unknown check": (json.dumps({**RIGHT, "check": "wraper-kept"}), "Did you mean 'wrapper-kept'?"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_a_file_that_is_no_finding_is_misuse(
    tmp_path: Path, content: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "finding.json"
    path.write_text(content)
    assert run("replay", str(path)) == 2
    told = capsys.readouterr()
    assert told.err.startswith("nnx-conformance: ")
    assert message in told.err
    assert told.out == ""


def test_a_file_of_other_bytes_than_text_is_misuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "finding.json"
    path.write_bytes(b"\xff\xfe\x80")
    assert run("replay", str(path)) == 2
    assert "Expected a stored finding" in capsys.readouterr().err


def test_a_missing_file_is_misuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "no.json")
    assert run("replay", path) == 2
    assert capsys.readouterr().err.startswith(
        f"nnx-conformance: Expected a file that exists but got FILE={path!r} (type=str). "
        "Give a file that `nnx-conformance check` stored"
    )


@pytest.mark.slow
def test_a_case_of_other_arguments_is_misuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "finding.json"
    path.write_text(json.dumps(RIGHT))  # its case has an `x` only
    assert run("replay", str(path)) == 2
    assert "n_calls" in capsys.readouterr().err


def test_the_bytes_of_an_argument_are_those_of_its_data() -> None:
    assert CASE is not None
    assert base64.b64decode(CASE["arguments"][0]["base64"]) == np.array([0.0], np.float32).tobytes()
