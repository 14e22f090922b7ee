"""`explore`: searches sequences of operations for a time, goes on from earlier searches, and tells what it covered."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nnx_conformance.cli.explore import _search
from nnx_conformance.contracts.module_laws.program.language import OPERATIONS
from nnx_conformance.core import contracts
from nnx_conformance.core.errors import Misuse
from nnx_conformance.explore.inputs import FILE, keep, kept
from nnx_conformance.explore.search import Coverage

WRONG_BY_HASH = """
import zlib
from nnx_reference.solution import Counter, jnp, nnx


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    for _ in range(int(n_calls)):
        last_x = model(x)
    count = model.count.value
    if zlib.crc32(b"%d" % int(seed)) % 1499 == 13:
        count = jnp.float32(n_calls)
    return jnp.array([count, last_x.sum()])
"""
TOGGLES = Path(__file__).parents[1] / "reference/nnx_reference/laws/mutants/toggles_a_python_flag.py"


def explore(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nnx_conformance", "explore", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def test_coverage_counts_operations_pairs_and_what_was_skipped() -> None:
    coverage = Coverage()
    coverage.add([("call", ""), ("jit", ""), ("eval", "it declares no eval mode"), ("call", "")], {"growth": 1.0})
    coverage.add([("call", ""), ("call", "")], {"growth": 3.0, "error": 0.5})
    assert coverage.cases == 2
    assert dict(coverage.done) == {"call": 4, "jit": 1}
    assert dict(coverage.pairs) == {("call", "jit"): 1, ("jit", "call"): 1, ("call", "call"): 1}
    assert coverage.unmet() == [("jit", "jit")]
    assert coverage.never(["call", "eval", "scan"]) == {"eval": "it declares no eval mode", "scan": ""}
    assert coverage.best == {"growth": 3.0, "error": 0.5}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("subject.py", "--time", "soon"), "Expected a time up to a day, such as 90s, 10m or 2h but got --time='soon'"),
        (("subject.py", "--time", "0"), "Expected a time up to a day"),
        (("subject.py", "--time", "25h"), "Expected a time up to a day"),
        (("subject.py", "--coverage", "no/such/folder.json"), "Expected a file that can be written"),
        (("nowhere.py",), "nowhere.py"),
    ],
)
def test_what_means_nothing_is_misuse(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "subject.py").write_text("subject = {}\n")
    done = explore(tmp_path, *arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert not (tmp_path / ".nnx-conformance").exists()


@pytest.mark.slow
def test_a_right_subject_is_explored_and_told_how_far(tmp_path: Path) -> None:
    target = "nnx_reference.subject:subject"
    done = explore(tmp_path, target, "--time", "15s", "--coverage", "coverage.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nnx_reference.subject:subject conforms" in done.stdout
    assert re.search(
        r"explored\n  \d+ sequences with \d+ operations carried out\n  \d+ of "
        rf"{len(OPERATIONS)} operations, \d+ of \d+ pairs",
        done.stdout,
    )
    assert re.search(r"  growth +the state became at most \S+ times as large\n", done.stdout)
    assert re.search(r"  error +the largest difference was \S+ times what is allowed\n", done.stdout)
    found = json.loads((tmp_path / "coverage.json").read_text())
    assert set(found) == {"cases", "operations", "pairs", "never", "highest"}
    assert found["operations"]["call"] > found["operations"]["restart"] >= 0


@pytest.mark.slow
def test_what_it_finds_is_small_stored_and_found_at_once_the_next_time(tmp_path: Path) -> None:
    target = f"{TOGGLES}::subject"
    done = explore(tmp_path, target, "--time", "20s")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "no-hidden-state  MUST  violated on" in done.stdout
    assert re.search(r"smallest case  make\(0\) (call\[0\] )?\w+\[0\]\n", done.stdout)
    replay = re.search(r"\.nnx-conformance/no-hidden-state-\w+\.json", done.stdout)
    assert replay
    command = [sys.executable, "-m", "nnx_conformance", "replay", replay[0]]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 1
    again = explore(tmp_path, target, "--time", "1s")
    assert again.returncode == 1, again.stdout + again.stderr


def test_a_contract_that_says_nothing_of_its_cases_is_not_explored() -> None:
    mutability = contracts.get("mutability")
    silent = dataclasses.replace(mutability, domains=(dataclasses.replace(mutability.domains[0], components=None),))

    with pytest.raises(Misuse, match="Expected a contract to explore, such as 'module-laws', but got --contract='mut"):
        _search(silent)


@pytest.mark.parametrize("text", [None, "{", "[1]", '[{"domain": "core"}]'])
def test_what_is_no_record_of_cases_is_ignored(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / FILE).write_text(text)

    assert kept(tmp_path) == ()


def test_cases_are_kept_for_a_later_search(tmp_path: Path) -> None:
    components = contracts.get("mutability").domains[0].components
    assert components is not None
    base = components.base

    keep(tmp_path / "new", [base, base])

    assert [case.key for case in kept(tmp_path / "new")] == [base.key]


@pytest.mark.slow
def test_a_function_is_explored_from_its_conditions_and_the_next_search_starts_where_this_one_came(
    tmp_path: Path,
) -> None:
    (tmp_path / "solution.py").write_text(WRONG_BY_HASH)
    arguments = ("solution.py", "--contract", "mutability", "--time")

    first = explore(tmp_path, *arguments, "60s", "--coverage", "coverage.json")
    again = explore(tmp_path, *arguments, "20s")

    for done in (first, again):
        assert done.returncode == 1, done.stdout + done.stderr
        assert "result-reads-state  MUST  violated on" in done.stdout
        assert 'only where     `zlib.crc32(b"%d" % int(seed)) % 1499 == 13`' in done.stdout
        assert re.search(r"explored\n  \d+ cases; \d+ runs for 1 of 1 conditions met both ways\n", done.stdout)
    covered = json.loads((tmp_path / "coverage.json").read_text())
    assert covered["conditions"] == 1 and covered["unmet"] == [] and covered["runs"] > 300
