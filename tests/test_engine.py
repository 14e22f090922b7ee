"""The same seed draws the same cases, whoever draws."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DRAW = """
from nnx_conformance import contract, engine

drawn = []
for part in contract.get("mutability").domains[0].parts(0):
    engine.draw(part.cases, 60, 0, lambda case: drawn.append(case.key))
print(*drawn, sep="\\n")
"""
#: Hypothesis draws what it finds in the source of local modules.
CONSTANTS = "NUMBERS = (" + ", ".join(f"{number}, {number}.25" for number in range(3, 3000, 7)) + ")\n"


def draws(folder: Path, before: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", before + DRAW], cwd=folder, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.split()


def test_what_else_is_imported_does_not_change_what_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "local_module.py").write_text(CONSTANTS)
    alone = draws(tmp_path, "")
    assert len(alone) == 60
    assert draws(tmp_path, "import local_module\n") == alone


@pytest.mark.slow
def test_hypothesis_alone_would_draw_what_local_modules_hold(tmp_path: Path) -> None:
    (tmp_path / "local_module.py").write_text(CONSTANTS)
    unkept = (
        "import contextlib\nfrom nnx_conformance import engine\nengine._the_same_everywhere = contextlib.nullcontext\n"
    )
    assert draws(tmp_path, unkept + "import local_module\n") != draws(tmp_path, unkept)
