"""Looks into a built wheel and sdist, and uses the wheel in a clean environment, from an empty folder.

Run as `python .ci/check_wheel.py DIST`, where DIST holds one wheel and one sdist. Needs the standard library alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

#: All that may lie at the top of site-packages.
PLUGINS = {"_nnx_conformance_pytest.py", "_nnx_strategies_hypothesis.py"}
TOP = {"nnx_conformance", "nnx_strategies", "nnx_reference", *PLUGINS}
WHEEL = (
    "nnx_conformance/py.typed",
    "nnx_strategies/py.typed",
    "nnx_reference/py.typed",
    "nnx_conformance/report.schema.json",
    "nnx_conformance/reports/assets/page.html.j2",
    "nnx_conformance/reports/assets/report.css",
    "nnx_conformance/reports/assets/report.js",
    "nnx_reference/solution.py",
)
SDIST = ("pyproject.toml", "tox.ini", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "tests/test_gate.py")


def main() -> None:
    """Check what is in the folder of built files."""
    folder = Path(sys.argv[1])
    wheel, sdist = _only(folder, "*.whl"), _only(folder, "*.tar.gz")
    check_wheel(wheel)
    check_sdist(sdist)
    use(wheel)


def _only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    assert len(found) == 1, f"Expected one {pattern} in {folder} but got {found}. Empty the folder and build again."
    return found[0].resolve()


def check_wheel(wheel: Path) -> None:
    """All that should be in it is, and nothing else lies at its top."""
    names = set(zipfile.ZipFile(wheel).namelist())
    _holds(wheel, names, (*WHEEL, *_implementations("right")))
    stray = {name.split("/")[0] for name in names} - TOP
    stray = {name for name in stray if not name.endswith(".dist-info")}
    assert not stray, f"{wheel.name} puts {sorted(stray)} at the top of site-packages. Exclude it in pyproject.toml."
    assert any(name.endswith("/LICENSE") for name in names), f"{wheel.name} holds no LICENSE."
    mutants = [name for name in names if "/mutants/" in name and name.startswith("nnx_reference/")]
    assert not mutants, (
        f"{wheel.name} holds {len(mutants)} mutants, {mutants[0]} first. Exclude them in pyproject.toml."
    )
    print(f"{wheel.name}: {len(names)} files in {wheel.stat().st_size:,} bytes, nothing stray, no mutants")


def _implementations(kind: str) -> list[str]:
    root = Path(__file__).parents[1] / "reference"
    files = [str(path.relative_to(root)) for path in root.glob(f"nnx_reference/*/{kind}/*.py")]
    assert files, f"{root} holds no implementations in {kind}/."
    return files


def check_sdist(sdist: Path) -> None:
    """It holds what is needed to build and to test."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    mutants = [f"reference/{file}" for file in _implementations("mutants")]
    _holds(sdist, names, (*SDIST, *mutants))
    print(f"{sdist.name}: {len(names)} files")


def _holds(archive: Path, names: set[str], wanted: tuple[str, ...]) -> None:
    missing = sorted(set(wanted) - names)
    assert not missing, f"{archive.name} lacks {missing}. Include it in pyproject.toml."


def use(wheel: Path) -> None:
    """Install it into a clean environment and judge the reference solution that it brought."""
    with tempfile.TemporaryDirectory() as folder:
        home, empty = Path(folder, "environment"), Path(folder, "empty")
        venv.create(home, with_pip=True)
        empty.mkdir()
        python = str(home / "bin" / "python")
        _run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", str(wheel)], empty)
        where = _run([python, "-c", "import nnx_reference; print(nnx_reference.__path__[0])"], empty).strip()
        assert where.startswith(str(home.resolve())), f"nnx_reference was imported from {where}"
        _run([python, "-m", "nnx_conformance", "contracts"], empty)
        _run([python, "-m", "nnx_conformance", "explain", "wrapper-kept"], empty)
        audit = _run([python, "-m", "nnx_conformance", "audit", "mutability"], empty, status=2)
        assert "are not installed: wheels leave them out" in audit, audit
        print(_run([str(home / "bin" / "nnx-conformance"), "check", f"{where}/solution.py"], empty))


def _run(command: list[str], folder: Path, status: int = 0) -> str:
    hidden = {"PYTHONPATH", "VIRTUAL_ENV"}
    environment = {key: value for key, value in os.environ.items() if key not in hidden} | {"JAX_PLATFORMS": "cpu"}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT if status else None}
    ended = subprocess.run(command, cwd=folder, env=environment, text=True, **streams)
    assert ended.returncode == status, f"{' '.join(command)} ended with status {ended.returncode}:\n{ended.stdout}"
    return ended.stdout


if __name__ == "__main__":
    main()
