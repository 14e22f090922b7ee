"""The pytest plugin, as its users run it: what is collected, what each item comes to, and what a failure shows."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest

from nnx_conformance.core import contracts

pytest_plugins = ["pytester"]

CANDIDATES = Path(__file__).parent / "candidates"
CHECKS = [check.id for check in contracts.get("mutability").checks]
BLOCKED = ["counts-in-variable", "counter-not-param", "one-increment-per-call", "result-reads-state"]
FEW = "[tool.nnx-conformance]\nmax-examples = 2\n"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a right candidate, one that loses the wrapper, and one that prints."""
    for name in ("CI", "BUILD_NUMBER"):  # with them, pytest's short summary is as long as what it sums up
        monkeypatch.delenv(name, raising=False)
    for name, file in (("good.py", "good.py"), ("wrong.py", "loses_wrapper.py"), ("chatty.py", "good.py")):
        pytester.makefile(".py", **{name.removesuffix(".py"): (CANDIDATES / file).read_text()})
    with (pytester.path / "chatty.py").open("a") as chatty:
        chatty.write("\nprint('loaded')\n")
    pytester.makepyprojecttoml(FEW)
    return pytester


def waive(project: pytest.Pytester, candidate: str, *checks: str) -> None:
    text = "".join(
        f'[[tool.nnx-conformance.waivers]]\ncheck = "{check}"\ncandidate = "{candidate}"\nreason = "lesson 3"\n'
        for check in checks
    )
    project.makepyprojecttoml(FEW + text)


def ids(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if "::" in line]


def test_a_candidate_is_one_item_for_each_check(project: pytest.Pytester) -> None:
    result = project.runpytest("--nnx-candidate", "good.py", "--collect-only", "-q")
    assert ids(result) == [f"good.py::{check}" for check in CHECKS]
    assert result.ret == 0


def test_the_ids_of_functions_and_modules_name_them(project: pytest.Pytester) -> None:
    targets = ("good.py::mutability_increment_count", "good:mutability_increment_count")
    given = [word for target in targets for word in ("--nnx-candidate", target)]
    result = project.runpytest(*given, "--collect-only", "-q", "-k", "quiet")
    assert ids(result) == [f"{target}::quiet" for target in targets]


@pytest.mark.slow
def test_a_failing_item_prints_the_finding_and_no_stack(project: pytest.Pytester) -> None:
    result = project.runpytest("--nnx-candidate", "wrong.py", "--nnx-candidate", "good.py", "-rs")
    assert result.ret == 1
    result.assert_outcomes(passed=len(CHECKS) + 22, failed=1, skipped=4)
    text = result.stdout.str()
    shown = text[text.index("wrong.py: wrapper-kept") :]
    lines = shown.splitlines()[1:5]
    assert lines[0] == "wrapper-kept  MUST  violated on 2 of 2 cases"
    assert lines[1] == "  wrong.py:13   self.count = self.count + 1.0"
    assert lines[2] == "  in call 1 of 1, `Counter.count` went from nnx.Variable to jax.Array"
    assert "smallest case" in lines[3]
    assert "Traceback" not in text
    assert "nnx_conformance/" not in text
    result.stdout.fnmatch_lines(["SKIPPED [[]4] wrong.py:1: blocked by wrapper-kept"])


@pytest.mark.slow
def test_an_id_can_be_given_again(project: pytest.Pytester) -> None:
    result = project.runpytest("--nnx-candidate", "wrong.py", "wrong.py::wrapper-kept")
    result.assert_outcomes(failed=1)


@pytest.mark.slow
def test_items_are_chosen_by_their_check(project: pytest.Pytester) -> None:
    result = project.runpytest("--nnx-candidate", "good.py", "-k", "wrapper-kept", "-v")
    result.assert_outcomes(passed=1, deselected=26)
    result.stdout.fnmatch_lines(["good.py::wrapper-kept PASSED*"])


def may_write(project: pytest.Pytester) -> None:
    """Let candidates leave traces of their runs."""
    with (project.path / "pyproject.toml").open("a") as file:
        file.write('\nisolation = "process"\n')


@pytest.mark.slow
def test_one_run_feeds_all_items(project: pytest.Pytester) -> None:
    with (project.path / "good.py").open("a") as file:
        file.write("\nimport os\nopen('runs', 'a').write(f'{os.getpid()} ')\n")
    may_write(project)
    project.runpytest("--nnx-candidate", "good.py").assert_outcomes(passed=27)
    assert len((project.path / "runs").read_text().split()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("distribution", ["load", "loadgroup", "worksteal"])
def test_the_workers_of_xdist_share_one_run(project: pytest.Pytester, distribution: str) -> None:
    for name in ("good", "chatty"):
        with (project.path / f"{name}.py").open("a") as file:
            file.write(f"\nimport os\nopen('runs', 'a').write('{name} ')\n")
    may_write(project)
    given = ("--nnx-candidate", "good.py", "--nnx-candidate", "chatty.py")
    result = project.runpytest_subprocess(*given, "-n", "2", "--dist", distribution)
    result.assert_outcomes(passed=54, warnings=1)
    assert Counter((project.path / "runs").read_text().split()) == {"good": 1, "chatty": 1}


@pytest.mark.slow
def test_the_tests_of_an_object_share_one_run_over_workers(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_mine="""
        import nnx_conformance

        def counted(seed, x, n_calls):
            open("runs", "a").write(f"{int(n_calls)} ")
            from good import mutability_increment_count
            return mutability_increment_count(seed, x, n_calls)

        @nnx_conformance.parametrize_with_checks("mutability", [counted])
        def test_it(candidate, check):
            check(candidate)
        """
    )
    result = project.runpytest_subprocess("-n", "2", "--dist", "load")
    assert result.parseoutcomes()["passed"] >= 20
    assert (project.path / "runs").read_text().split().count("1000") <= 2  # `many-calls` is drawn once


@pytest.mark.slow
def test_junit_xml_names_checks_and_holds_the_finding(project: pytest.Pytester) -> None:
    waive(project, "chatty.py", "quiet")
    given = ("--nnx-candidate", "wrong.py", "--nnx-candidate", "chatty.py")
    project.runpytest(*given, "--junitxml", "report.xml")
    suite = ElementTree.parse(project.path / "report.xml").getroot()[0]
    cases = {(case.get("classname"), case.get("name")): case for case in suite.iter("testcase")}
    assert [name for file, name in cases if file == "wrong"] == CHECKS
    failure = cases["wrong", "wrapper-kept"].find("failure")
    assert failure is not None
    assert str(failure.get("message")).startswith("Failed: wrapper-kept  MUST  violated on 2 of 2 cases")
    assert "wrong.py:13   self.count = self.count + 1.0" in str(failure.text)
    skipped = cases["wrong", "counts-in-variable"].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "blocked by wrapper-kept"
    waived = cases["chatty", "quiet"].find("skipped")
    assert waived is not None
    assert (waived.get("type"), waived.get("message")) == ("pytest.xfail", "waived: lesson 3")


@pytest.mark.slow
def test_advice_warns_in_a_class_of_its_own(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("--nnx-candidate", "chatty.py", "-k", "quiet")
    result.assert_outcomes(passed=1, warnings=1, deselected=26)
    result.stdout.fnmatch_lines(
        ["*chatty.py:1: AdviceWarning: quiet  SHOULD  violated on *", "*the candidate wrote: loaded"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("how", ["option", "setting", "warnings are errors"])
def test_advice_fails_where_it_decides(project: pytest.Pytester, how: str) -> None:
    if how == "setting":
        project.makepyprojecttoml(f"{FEW}strict = true\n")
    options = {"option": ["--nnx-strict"], "setting": [], "warnings are errors": ["-W", "error"]}[how]
    result = project.runpytest("--nnx-candidate", "chatty.py", "-k", "quiet", *options)
    result.assert_outcomes(failed=1, deselected=26)
    result.stdout.fnmatch_lines(["quiet  SHOULD  violated on *"])
    text = result.stdout.str()
    assert text.count("the candidate wrote: loaded") == 1
    assert "nnx_conformance/" not in text


@pytest.mark.slow
def test_what_is_waived_is_expected_to_fail(project: pytest.Pytester) -> None:
    waive(project, "wrong.py", "wrapper-kept", *BLOCKED)
    result = project.runpytest("--nnx-candidate", "wrong.py", "-rx")
    result.assert_outcomes(passed=22, xfailed=5)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["XFAIL wrong.py::wrapper-kept - waived: lesson 3"])


@pytest.mark.slow
def test_a_waiver_that_is_not_needed_fails_its_item(project: pytest.Pytester) -> None:
    waive(project, "good.py", "quiet")
    result = project.runpytest("--nnx-candidate", "good.py")
    result.assert_outcomes(passed=26, failed=1)
    result.stdout.fnmatch_lines(
        ["quiet: the check holds, so its waiver (lesson 3) is no longer needed: remove it from pyproject.toml"]
    )


@pytest.mark.slow
def test_what_a_waived_check_blocks_fails(project: pytest.Pytester) -> None:
    waive(project, "wrong.py", "wrapper-kept")
    result = project.runpytest("--nnx-candidate", "wrong.py")
    result.assert_outcomes(passed=22, failed=4, xfailed=1)
    result.stdout.fnmatch_lines(["counts-in-variable could not be judged: wrapper-kept is in its way. *"])


def test_a_run_with_no_item_fails(project: pytest.Pytester) -> None:
    result = project.runpytest("--nnx-candidate", "good.py", "-k", "no-such-check")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.medium
@pytest.mark.parametrize("workers", [(), pytest.param(("-n", "1"), marks=pytest.mark.slow)])
def test_a_run_with_other_tests_alone_says_nothing_of_the_candidate(
    project: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    project.makepyfile(test_other="def test_other():\n    pass\n")
    result = project.runpytest_subprocess("--nnx-candidate", "good.py", "-k", "other and not dtypes", *workers)
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines(["nnx-conformance: no check of good.py was run, so nothing is known of it"])


MISUSE = {
    "target": (
        ("--nnx-candidate", "goood.py"),
        "Expected a file that exists but got target='goood.py' (type=str). No such file. *",
    ),
    "contract": (
        ("--nnx-candidate", "good.py", "--nnx-contract", "mutabilty"),
        "Expected the name of an installed contract but got contract='mutabilty' (type=str). "
        "Did you mean 'mutability'[?]",
    ),
}


@pytest.mark.parametrize(("given", "message"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_a_usage_error(project: pytest.Pytester, given: tuple[str, ...], message: str) -> None:
    result = project.runpytest(*given)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: nnx-conformance: {message}"])


def test_a_waiver_of_no_check_is_a_usage_error(project: pytest.Pytester) -> None:
    waive(project, "good.py", "quite")
    result = project.runpytest("--nnx-candidate", "good.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*check='quite' (type=str). Did you mean 'quiet'[?]"])


@pytest.mark.medium
def test_a_target_that_leads_to_no_function_fails_every_item(project: pytest.Pytester) -> None:
    result = project.runpytest("--nnx-candidate", "good.py::mutability_increment")
    result.assert_outcomes(failed=27)
    result.stdout.fnmatch_lines(["nnx-conformance: *holds no function 'mutability_increment'. Did you mean *"])


@pytest.mark.medium
def test_one_test_for_each_implementation_and_check(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_mine="""
        import good, wrong
        import nnx_conformance

        def right(seed, x, n_calls):
            return good.mutability_increment_count(seed, x, n_calls)

        @nnx_conformance.parametrize_with_checks("mutability", [right, wrong.mutability_increment_count, "chatty.py"])
        def test_it(candidate, check):
            check(candidate)
        """
    )
    result = project.runpytest_subprocess("-v", "-k", "wrapper-kept or quiet or counts-in-variable")
    assert "Traceback" not in result.stdout.str()
    assert "nnx_conformance/" not in result.stdout.str()
    result.assert_outcomes(passed=7, failed=1, skipped=1, warnings=1, deselected=72)
    result.stdout.fnmatch_lines(
        [
            "test_mine.py::test_it[[]right-wrapper-kept[]] PASSED*",
            "test_mine.py::test_it[[]mutability_increment_count-wrapper-kept[]] FAILED*",
            "test_mine.py::test_it[[]chatty.py-quiet[]] PASSED*",
            "wrapper-kept  MUST  violated on 2 of 2 cases",
        ]
    )


@pytest.mark.medium
def test_a_python_object_is_waived_by_its_module_and_name(project: pytest.Pytester) -> None:
    waive(project, "wrong:mutability_increment_count", "wrapper-kept")
    project.makepyfile(
        test_mine="""
        import wrong
        import nnx_conformance

        @nnx_conformance.parametrize_with_checks("mutability", [wrong.mutability_increment_count])
        def test_it(candidate, check):
            check(candidate)
        """
    )
    result = project.runpytest("-k", "wrapper-kept")
    result.assert_outcomes(xfailed=1, deselected=26)


@pytest.mark.slow
def test_the_fixture_asserts_that_one_implementation_conforms(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_mine="""
        import good, wrong

        def test_right(assert_conforms):
            assert assert_conforms(good.mutability_increment_count).verdict == "conforms"

        def test_wrong(assert_conforms):
            assert_conforms(wrong.mutability_increment_count, contract="mutability")

        def test_nothing(assert_conforms):
            assert_conforms(None)

        def test_other_contract(assert_conforms):
            assert_conforms(good.mutability_increment_count, contract="mutabilty")
        """
    )
    result = project.runpytest()
    result.assert_outcomes(passed=1, failed=3)
    assert "nnx_conformance/" not in result.stdout.str()
    result.stdout.fnmatch_lines(
        [
            "wrapper-kept  MUST  violated on 2 of 2 cases",
            "wrong:mutability_increment_count does not conform",
            "nnx-conformance: Expected a function or a target but got candidate=None (type=NoneType). *",
            "nnx-conformance: Expected the name of an installed contract but got contract='mutabilty' *",
        ]
    )


BAD_DECORATORS = {
    "no candidate": (
        '"mutability", []',
        "Expected one candidate at least but got candidates=() (type=tuple). Without one, nothing would be judged.",
    ),
    "one and no list": (
        '"mutability", "good.py"',
        "Expected a list of candidates but got candidates='good.py' (type=str). Write `[implementation]`.",
    ),
    "no function": (
        '"mutability", [3]',
        "Expected a function or a target but got candidate=3 (type=int). Pass the function itself.",
    ),
    "contract": (
        '"mutabilty", [len]',
        "Expected the name of an installed contract but got contract='mutabilty' (type=str). "
        "Did you mean 'mutability'[?]",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_DECORATORS.values(), ids=BAD_DECORATORS)
def test_a_wrong_decorator_is_misuse(project: pytest.Pytester, arguments: str, message: str) -> None:
    project.makepyfile(
        test_mine=f"""
        import nnx_conformance

        @nnx_conformance.parametrize_with_checks({arguments})
        def test_it(candidate, check):
            check(candidate)
        """
    )
    result = project.runpytest()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([f"E   nnx_conformance.core.errors.Misuse: {message}"])


def test_a_decorated_test_of_other_arguments_is_misuse(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_mine="""
        import nnx_conformance

        @nnx_conformance.parametrize_with_checks("mutability", ["good.py"])
        def test_it(implementation):
            pass
        """
    )
    result = project.runpytest()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        [
            "nnx-conformance: Expected a test of candidate and check but got test_it=('implementation',) (type=tuple). "
            "Write `def test_it(candidate, check): check(candidate)`."
        ]
    )


def test_a_check_is_called_with_its_own_candidate(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_mine="""
        import nnx_conformance

        @nnx_conformance.parametrize_with_checks("mutability", ["good.py"])
        def test_it(candidate, check):
            check("other.py")
        """
    )
    result = project.runpytest("-k", "quiet")
    result.assert_outcomes(failed=1, deselected=26)
    result.stdout.fnmatch_lines(
        [
            "nnx-conformance: Expected the test's own candidate but got candidate='other.py' (type=str). "
            "Call `check(candidate)`."
        ]
    )


def test_a_test_module_may_hold_the_candidate_and_tests(project: pytest.Pytester) -> None:
    source = (CANDIDATES / "good.py").read_text()
    project.makepyfile(test_both=f"{source}\n\ndef test_other():\n    pass\n")
    result = project.runpytest("--nnx-candidate", "test_both.py::mutability_increment_count", "--collect-only", "-q")
    assert len(ids(result)) == 28


@pytest.mark.medium
@pytest.mark.parametrize("given", [(), ("--collect-only",), ("-h",)])
def test_the_plugin_imports_nothing_until_it_is_used(tmp_path: Path, given: tuple[str, ...]) -> None:
    (tmp_path / "test_other.py").write_text("def test_other():\n    pass\n")
    code = (
        "import sys, pytest\n"
        f"pytest.main(['-q', '-p', 'no:xdist', *{given!r}])\n"
        "heavy = [name for name in sys.modules if name.split('.')[0] in ('jax', 'flax', 'numpy', 'nnx_conformance')]\n"
        "print('plugin' if '_nnx_conformance_pytest' in sys.modules else 'no plugin', heavy)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "plugin []", done.stderr
