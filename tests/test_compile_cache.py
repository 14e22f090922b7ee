"""What a candidate compiles is kept for its own process: compiled once, never in its way, never without bound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import pytest

from nnx_conformance.core.report import Report, Settings
from nnx_conformance.judging.check import judge_target
from nnx_conformance.process.limits import Limits
from nnx_conformance.sandbox import compile_cache
from nnx_conformance.sandbox.compile_cache import OwnCache

GOOD = (Path(__file__).parent / "candidates" / "good.py").read_text()
NAME = "f" * 64
#: Counts what came from a cache; jits something anew in each call, as many candidates do.
COUNTING = """
import jax

HITS = []
jax.monitoring.register_event_listener(lambda event, **_: HITS.append(event) if event.endswith("/cache_hits") else None)


def jitted(x):
    before = len(HITS)
    jax.jit(lambda y: y * 3 + 1)(x)
    return len(HITS) > before


assert not jitted(1.0)
"""
CLEANING = """
import os
import shutil

import jax


def jitted(x):
    folder = jax.config.jax_compilation_cache_dir
    if os.path.isdir(folder):
        shutil.rmtree(os.path.dirname(folder), ignore_errors=True)
        jax.jit(lambda y: y * 3 + 1)(x)
    return True
"""


def judged(folder: Path, more: str) -> Report:
    """The good candidate, which jits something in each call, too."""
    path = folder / "candidate.py"
    path.write_text(GOOD.replace("    last_x = x\n", "    assert jitted(1.0)\n    last_x = x\n") + more)
    return judge_target(str(path), "mutability", Settings(max_examples=3, checks=("returns-pair",)), Limits())


@pytest.mark.medium
def test_what_is_jitted_anew_in_each_call_is_compiled_once(tmp_path: Path) -> None:
    report = judged(tmp_path, COUNTING)
    assert (report.verdict, report.findings) == ("conforms", ())


@pytest.mark.slow
def test_a_candidate_that_removes_its_private_directory_goes_on_without_a_cache(tmp_path: Path) -> None:
    report = judged(tmp_path, CLEANING)
    assert (report.verdict, report.findings) == ("conforms", ())


@pytest.fixture
def unset() -> Iterator[None]:
    before: Any = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    jax.config.update("jax_compilation_cache_dir", before)


@pytest.mark.usefixtures("unset")
def test_what_a_process_compiled_itself_is_forgotten_when_it_is_much_and_what_is_trusted_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, trusted = tmp_path / "home", tmp_path / "trusted"
    for folder in (home, trusted):
        folder.mkdir()
    for suffix in ("-cache", "-atime"):
        (trusted / f"{NAME}{suffix}").touch()
    monkeypatch.setattr(compile_cache, "MOST_BYTES", 100_000)
    monkeypatch.setenv(compile_cache.TRUSTED, str(trusted))
    own = OwnCache(str(home))
    folder = home / compile_cache.FOLDER
    (folder / "small-cache").write_bytes(bytes(50_000))
    own.keep_small()
    assert len(list(folder.iterdir())) == 2
    (folder / "large-cache").write_bytes(bytes(60_000))
    own.keep_small()
    assert [path.name for path in folder.iterdir()] == [f"{NAME}-cache"]
    assert len(list(trusted.iterdir())) == 2


@pytest.mark.usefixtures("unset")
def test_a_process_that_fills_a_trusted_cache_has_none_of_its_own(tmp_path: Path) -> None:
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "trusted"))
    OwnCache(str(tmp_path)).keep_small()
    assert jax.config.jax_compilation_cache_dir == str(tmp_path / "trusted")  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []
