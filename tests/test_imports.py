"""What importing the kit costs, and which way its imports point."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import nnx_conformance
import nnx_reference
import nnx_strategies

GOOD = Path(__file__).parent / "candidates" / "good.py"
KIT = Path(nnx_conformance.__file__).parent
HEAVY = ("jax", "jaxlib", "flax", "numpy", "hypothesis", "chex", "rich", "click")
#: Modules that are data, or judge data; what acts on the world must stay out of their reach.
PURE = (
    "case",
    "observation",
    "request",
    "errors",
    "observer",
    "subject",
    "contract",
    "report",
    "tally",
    "timeline",
    "target",
    "waivers",
    "project",
)
ACTING = (
    "spies",
    "observe",
    "probe",
    "functions",
    "patches",
    "process",
    "worker",
    "load",
    "session",
    "judge",
    "smallest",
    "cli",
)
NO_BACKEND = """
from jax._src import xla_bridge
started = getattr(xla_bridge, "backends_are_initialized", lambda: bool(xla_bridge._backends))
assert not started(), "a JAX backend is up"
"""


def run_python(code: str, folder: Path) -> str:
    """What a fresh interpreter prints; fails with what it wrote if it fails."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_kit_imports_nothing_heavy(tmp_path: Path) -> None:
    code = f"import sys, nnx_conformance; print([name for name in {HEAVY} if name in sys.modules])"
    assert run_python(code, tmp_path).strip() == "[]"


def test_a_heavy_import_would_be_seen(tmp_path: Path) -> None:
    code = f"import sys, nnx_conformance.case; print([name for name in {HEAVY} if name in sys.modules])"
    assert run_python(code, tmp_path).strip() == "['numpy']"


def test_importing_any_module_of_the_kit_starts_no_backend(tmp_path: Path) -> None:
    names = [module_name(path, KIT.parent) for path in sources(KIT) if path.stem != "__main__"]
    run_python("".join(f"import {name}\n" for name in names) + NO_BACKEND, tmp_path)


def test_a_backend_that_is_up_would_be_seen(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="a JAX backend is up"):
        run_python("import jax\njax.devices()\n" + NO_BACKEND, tmp_path)


def test_checking_a_file_starts_no_backend_in_the_judge(tmp_path: Path) -> None:
    code = f"import nnx_conformance\nprint(nnx_conformance.check({str(GOOD)!r}, max_examples=2).verdict)\n"
    assert run_python(code + NO_BACKEND, tmp_path).strip() == "conforms"


def sources(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


def module_name(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imported(source: str, package: str) -> Iterator[str]:
    """Every module that a source imports anywhere in it, save for type checkers; names that are imported count too."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imported_by(path: Path, root: Path) -> set[str]:
    name = module_name(path, root)
    return set(imported(path.read_text(), name if path.name == "__init__.py" else name.rpartition(".")[0]))


def reached(name: str) -> set[str]:
    """The modules of the kit that are imported with one of them, however far away."""
    found, new = set(), {f"nnx_conformance.{name}"}
    known = {module_name(path, KIT.parent): path for path in sources(KIT)}
    while new:
        found |= new
        new = {one for at in new for one in imported_by(known[at], KIT.parent) if one in known} - found
    return {one.removeprefix("nnx_conformance.") for one in found} - {"nnx_conformance"}


@pytest.mark.parametrize("package", [nnx_strategies, nnx_reference], ids=lambda package: package.__name__)
def test_strategies_and_reference_import_nothing_of_the_kit(package: object) -> None:
    folder = Path(package.__file__).parent  # type: ignore[attr-defined]
    wrong = [
        f"{path.name} imports {name}"
        for path in sources(folder)
        for name in imported_by(path, folder.parent)
        if name.partition(".")[0] == "nnx_conformance"
    ]
    assert len(sources(folder)) > 1
    assert wrong == []


@pytest.mark.parametrize("name", PURE)
def test_what_is_data_reaches_nothing_that_acts(name: str) -> None:
    assert reached(name) & set(ACTING) == set()


@pytest.mark.parametrize("name", [*PURE, *ACTING])
def test_the_modules_of_these_rules_exist(name: str) -> None:
    assert (KIT / f"{name}.py").is_file()


def test_an_import_the_wrong_way_would_be_seen() -> None:
    assert "process" in reached("checking")
    assert "worker" not in reached("checking")
    wrong = "def later():\n    from nnx_conformance.process import Limits\n"
    assert "nnx_conformance.process" in set(imported(wrong, "nnx_conformance"))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import nnx_conformance.cli", {"nnx_conformance.cli"}),
        ("from nnx_conformance import cli", {"nnx_conformance", "nnx_conformance.cli"}),
        ("from . import cli", {"nnx_conformance", "nnx_conformance.cli"}),
        ("from .cli import check", {"nnx_conformance.cli", "nnx_conformance.cli.check"}),
        ("if TYPE_CHECKING:\n    import jax", set()),
    ],
)
def test_every_form_of_import_is_read(source: str, found: set[str]) -> None:
    assert set(imported(source, "nnx_conformance")) == found
