"""`pytest --nnx-write-baseline DAY`: what is broken today becomes waivers, for every way in which pytest judges."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnx_conformance.project import baseline

pytest_plugins = ["pytester"]

CANDIDATES = Path(__file__).parent / "candidates"
BROKEN = [
    "counter-not-param",
    "counts-in-variable",
    "one-increment-per-call",
    "result-reads-state",
    "wrapper-kept",
]
BROKEN_MUST = len(BROKEN)
DAY = ("--nnx-write-baseline", "2099-12-31")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a candidate that loses the wrapper."""
    monkeypatch.setenv("COLUMNS", "200")
    pytester.makepyprojecttoml("[tool.nnx-conformance]\nmax-examples = 2\n")
    pytester.makefile(".py", wrong=(CANDIDATES / "loses_wrapper.py").read_text())
    return pytester


def entries(project: pytest.Pytester) -> list[str]:
    return [f"{waiver.candidate} {waiver.check}" for waiver in baseline.read(project.path)]


@pytest.mark.medium
def test_a_baseline_is_written_excuses_and_shrinks(project: pytest.Pytester) -> None:
    written = project.runpytest_subprocess("--nnx-candidate", "wrong.py", *DAY)
    assert written.ret == 0
    written.assert_outcomes(passed=22, xfailed=5)
    assert entries(project) == [f"wrong.py {check}" for check in BROKEN]
    written.stdout.fnmatch_lines(
        [
            "*= nnx-baseline.toml =*",
            f"wrong.py: {', '.join(sorted(BROKEN, key=_order))}",
            f"{BROKEN_MUST} entries in nnx-baseline.toml, {BROKEN_MUST} of them new and until 2099-12-31",
        ]
    )
    project.runpytest_subprocess("--nnx-candidate", "wrong.py").assert_outcomes(passed=22, xfailed=5)

    (project.path / "wrong.py").write_text((CANDIDATES / "good.py").read_text())
    assert project.runpytest_subprocess("--nnx-candidate", "wrong.py").ret == 1
    fixed = project.runpytest_subprocess("--nnx-candidate", "wrong.py", *DAY)
    assert fixed.ret == 0
    fixed.stdout.fnmatch_lines(["fixed: wrapper-kept of wrong.py", "0 entries in nnx-baseline.toml, 0 of them new*"])
    assert entries(project) == []


def _order(check: str) -> int:
    from nnx_conformance.core import contracts

    return [each.id for each in contracts.get("mutability").checks].index(check)


@pytest.mark.medium
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_parametrized_candidates_are_recorded(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    project.makepyfile(
        test_all="""
        import nnx_conformance

        @nnx_conformance.parametrize_with_checks("mutability", ["wrong.py"])
        def test_they_conform(candidate, check):
            check(candidate)
        """
    )
    result = project.runpytest_subprocess(*DAY, *workers)
    assert result.ret == 0
    assert entries(project) == [f"wrong.py {check}" for check in BROKEN]
    assert project.runpytest_subprocess("--nnx-candidate", "wrong.py").ret == 0


@pytest.mark.medium
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_a_function_that_a_test_asserts_is_recorded(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    project.makepyfile(
        test_all="""
        import wrong

        def test_it_conforms(assert_conforms):
            assert_conforms(wrong.mutability_increment_count)
        """
    )
    result = project.runpytest_subprocess(*DAY, *workers)
    assert result.ret == 0
    assert entries(project) == [f"wrong:mutability_increment_count {check}" for check in BROKEN]
    assert project.runpytest_subprocess().ret == 0


@pytest.mark.slow
def test_what_the_tests_make_is_recorded(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_layers="""
        import jax.numpy as jnp
        from flax import nnx

        class Counter(nnx.Module):
            def __init__(self):
                self.count = nnx.Variable(jnp.array(0.0))

            def __call__(self, x):
                self.count = self.count + 1.0
                return x

        def test_it():
            counter = Counter()
            counter(jnp.ones((2, 3)))
        """
    )
    result = project.runpytest_subprocess("--nnx-laws", *DAY)
    assert result.ret == 0
    assert any("wrapper-kept" in entry for entry in entries(project))
    assert project.runpytest_subprocess("--nnx-laws").ret == 0


def test_nothing_to_record_and_a_day_that_is_none(project: pytest.Pytester) -> None:
    project.makepyfile(test_plain="def test_it(): pass")
    result = project.runpytest_subprocess(*DAY)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["no candidate was judged, so the baseline is left as it is"])
    assert not (project.path / baseline.NAME).exists()

    wrong = project.runpytest_subprocess("--nnx-write-baseline", "soon")
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    wrong.stderr.fnmatch_lines(
        ["ERROR: nnx-conformance: Expected a day but got --nnx-write-baseline='soon' (type=str). Write the last day *"]
    )
