"""Tracks: a folder of solutions, one file for each contract, judged with one report."""

from __future__ import annotations

import importlib.util
import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from nnx_conformance.cli.group import cli
from nnx_conformance.core import contracts
from nnx_conformance.core.errors import Misuse
from nnx_conformance.core.report import Settings
from nnx_conformance.project import tracks
from nnx_conformance.project.tracks import Track

CANDIDATES = Path(__file__).parent / "candidates"
MINI = Track("mini", "One exercise.", ("mutability",))
TWO = Track("two", "Two exercises.", ("mutability", "other"))
NO_TRACK = "no track"


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracks of this module, and a second contract that is the first by another name."""
    found = {name: EntryPoint(name, f"{__name__}:{name.upper()}", tracks.GROUP) for name in ("mini", "two", "no_track")}
    known = contracts.names()
    also = {"other": EntryPoint("other", "nnx_conformance.contracts.counter.mutability:CONTRACT", contracts.GROUP)}
    monkeypatch.setattr(tracks, "names", lambda: found)
    monkeypatch.setattr(contracts, "names", lambda: {"mutability": known["mutability"], **also})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ada").mkdir()
    return tmp_path / "ada"


def solve(folder: Path, name: str) -> None:
    (folder / name).write_text((CANDIDATES / "good.py").read_text())


def run(capsys: pytest.CaptureFixture[str], *given: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli(["check", *given], prog_name="nnx-conformance")
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out, told.err


@pytest.mark.slow
def test_a_folder_is_judged_by_every_contract_of_the_track_with_one_report(folder: Path, capsys: Any) -> None:
    solve(folder, "mutability.py")
    solve(folder, "other.py")

    status, out, err = run(capsys, "ada", "--track", "two", "--max-examples", "3", "--format", "json")

    reports = json.loads(out)["reports"]
    assert (status, err) == (0, "")
    assert [report["candidate"] for report in reports] == ["ada/mutability.py", "ada/other.py"]
    assert [report["verdict"] for report in reports] == ["conforms", "conforms"]


def test_a_solution_that_is_missing_does_not_conform_and_a_near_name_is_pointed_out(folder: Path) -> None:
    solve(folder, "mutability.py")
    solve(folder, "Other.py")

    found = tracks.solutions(TWO, str(folder))
    report = tracks.missing(found[1], Settings())

    (finding,) = report.findings
    assert [one.exists for one in found] == [True, False]
    assert report.verdict == "does not conform"
    assert finding.what == "the candidate could not be loaded: there is no such file"
    assert finding.cause == "Other.py is there, which is another name"
    assert finding.remedy == "Rename Other.py."


def test_a_solution_that_nobody_began_is_told_where_to_begin(folder: Path) -> None:
    solve(folder, "other.py")

    report = tracks.missing(tracks.solutions(TWO, str(folder))[0], Settings())

    assert report.findings[0].remedy == "Write it; `nnx-conformance contracts mutability`."


MISUSES = {
    "unknown": (["ada", "--track", "minni"], "Expected the name of an installed track but got track='minni' "
        "(type=str). Did you mean 'mini'?"),
    "two folders": (["ada", "ada", "--track", "mini"], "Expected one folder with --track but got "
        "targets=('ada', 'ada') (type=tuple). Judge each folder with its own command."),
    "a contract": (["ada", "--track", "mini", "--contract", "mutability"], "Expected no --contract with --track but "
        "got --contract='mutability' (type=str). Leave out --contract, or --track."),
    "a check": (["ada", "--track", "mini", "--check", "quiet"], "Expected no --check with --track but got "
        "--check=('quiet',) (type=tuple). Leave out --check, or --track."),
    "no folder": (["nowhere", "--track", "mini"], "Expected a folder of solutions for track 'mini' but got "
        "target='nowhere' (type=str). Give the folder that holds mutability.py."),
    "an empty folder": (["ada", "--track", "two"], "Expected a folder that holds a solution for track 'two' but got "
        "target='ada' (type=str). Call the solutions mutability.py, other.py."),
    "no track": (["ada", "--track", "no_track"], "Expected a Track at its entry point but got no_track='no track' "
        f"(type=str). Fix entry point '{__name__}:NO_TRACK'."),
}  # fmt: skip


@pytest.mark.parametrize(("given", "told"), MISUSES.values(), ids=list(MISUSES))
def test_misuse_is_told_with_its_fix(folder: Path, capsys: Any, given: list[str], told: str) -> None:
    status, out, err = run(capsys, *given)

    assert (status, out) == (2, "")
    assert " ".join(err.split()) == f"nnx-conformance: {told}"


def test_a_track_that_needs_a_contract_which_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracts, "names", dict)

    with pytest.raises(Misuse, match=r"contract='mutability' \(type=str\)\. Track 'mini' needs it\. Known: \(none\)\."):
        tracks.get("mini")


@pytest.fixture
def one_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A further contract, which does not load."""
    found = contracts.names()
    broken = EntryPoint("broken", "nnx_conformance.no_such_module:CONTRACT", contracts.GROUP)
    monkeypatch.setattr(contracts, "names", lambda: {"broken": broken, **found})


def test_a_contract_that_does_not_load_is_told_with_its_package_after_the_others(
    one_is_broken: None, capsys: Any
) -> None:
    with pytest.raises(SystemExit) as left:
        cli(["contracts"], prog_name="nnx-conformance")

    told = capsys.readouterr()
    assert left.value.code == 2
    assert "broken  does not load, from unknown" in told.out
    assert "mutability  version 1" in told.out
    assert " ".join(told.err.split()) == (
        "nnx-conformance: Contract 'broken' of nnx_conformance.no_such_module:CONTRACT does not load: "
        "ModuleNotFoundError: No module named 'nnx_conformance.no_such_module'. Fix it, or uninstall the package."
    )


def test_a_check_is_explained_though_another_contract_does_not_load(one_is_broken: None, capsys: Any) -> None:
    with pytest.raises(SystemExit) as left:
        cli(["explain", "wrapper-kept"], prog_name="nnx-conformance")

    assert not left.value.code
    assert "wrapper-kept  MUST of contract mutability" in capsys.readouterr().out


@pytest.mark.slow
def test_the_references_are_a_folder_that_keeps_the_track_nnx(
    folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(folder.parent)
    for contract in tracks.NNX.contracts:
        (folder / tracks.file_name(contract)).write_text(reference(contract))

    status, out, _ = run(capsys, "ada", "--track", "nnx", "--max-examples", "5", "--format", "json")

    reports = json.loads(out)["reports"]
    assert status == 0
    assert [report["contract"] for report in reports] == list(tracks.NNX.contracts)
    assert {report["verdict"] for report in reports} == {"conforms"}


def reference(contract: str) -> str:
    """The source of a contract's own right candidate."""
    module, _, name = contracts.get(contract).control.partition(":")
    found = importlib.util.find_spec(module)
    assert found is not None and found.origin is not None
    entry = contracts.get(contract).entry
    return Path(found.origin).read_text() + ("" if name == entry else f"\n{entry} = {name}\n")
