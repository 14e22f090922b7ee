"""What importing the kit costs. Which way its imports point, import-linter checks: see pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import nnx_conformance

GOOD = Path(__file__).parent / "candidates" / "good.py"
KIT = Path(nnx_conformance.__file__).parent
HEAVY = ("jax", "jaxlib", "flax", "numpy", "hypothesis", "chex", "rich", "click")
NO_BACKEND = """
from jax._src import xla_bridge
started = getattr(xla_bridge, "backends_are_initialized", lambda: bool(xla_bridge._backends))
assert not started(), "a JAX backend is up"
"""


def run_python(code: str, folder: Path) -> str:
    """What a fresh interpreter prints; fails with what it wrote if it fails."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=folder, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_kit_imports_nothing_heavy(tmp_path: Path) -> None:
    code = f"import sys, nnx_conformance; print([name for name in {HEAVY} if name in sys.modules])"
    assert run_python(code, tmp_path).strip() == "[]"


def test_a_heavy_import_would_be_seen(tmp_path: Path) -> None:
    code = f"import sys, nnx_conformance.core.case; print([name for name in {HEAVY} if name in sys.modules])"
    assert run_python(code, tmp_path).strip() == "['numpy']"


def test_the_command_line_starts_without_jax_and_hypothesis(tmp_path: Path) -> None:
    code = (
        "import sys, nnx_conformance.cli.group; print([n for n in ('jax', 'flax', 'hypothesis') if n in sys.modules])"
    )
    assert run_python(code, tmp_path).strip() == "[]"


@pytest.mark.medium
def test_importing_any_module_of_the_kit_starts_no_backend(tmp_path: Path) -> None:
    paths = [path.relative_to(KIT.parent).with_suffix("") for path in sorted(KIT.rglob("*.py"))]
    names = [".".join(path.parts).removesuffix(".__init__") for path in paths if path.stem != "__main__"]
    run_python("".join(f"import {name}\n" for name in names) + NO_BACKEND, tmp_path)


def test_a_backend_that_is_up_would_be_seen(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="a JAX backend is up"):
        run_python("import jax\njax.devices()\n" + NO_BACKEND, tmp_path)


@pytest.mark.slow
def test_checking_a_file_starts_no_backend_in_the_judge(tmp_path: Path) -> None:
    code = f"import nnx_conformance\nprint(nnx_conformance.check({str(GOOD)!r}, max_examples=2).verdict)\n"
    assert run_python(code + NO_BACKEND, tmp_path).strip() == "conforms"
