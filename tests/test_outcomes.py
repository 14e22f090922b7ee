"""What a check comes to as a test of its own: it agrees with the verdict, whatever the report."""

from __future__ import annotations

from itertools import product

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nnx_conformance.core.report import STATUSES, CheckResult, Finding, Report, Settings, WaiverState, WaiverUse
from nnx_conformance.pytest_plugin.results import item_result

LEVELS = ("MUST", "SHOULD")
KINDS = st.tuples(st.sampled_from(LEVELS), st.sampled_from(STATUSES), st.sampled_from(range(4)))


def made(
    kinds: list[tuple[str, str, int]], strict: bool, failure: str = "", stale: WaiverState | None = None
) -> Report:
    """A report of checks by level, status and the number of the check that blocks them."""
    checks, findings = [], []
    for number, (level, status, by) in enumerate(kinds):
        blocked_by = (f"check-{by % len(kinds)}",) if status == "blocked" else ()
        check = CheckResult(f"check-{number}", level, "", status, 1, 0, blocked_by, "why")  # type: ignore[arg-type]
        checks.append(check)
        if status == "violated":
            findings.append(Finding(check.id, check.level, f"{check.id} is broken", "", "", None, "", "", None, 1, 1))
    uses = (WaiverUse("check-0", "a.py", "x", "", stale),) if stale else ()
    asked = Settings(strict=strict)
    return Report("a.py", "c", "1", asked, None, 1, tuple(checks), tuple(findings), 1.0, failure, waivers=uses)


@settings(database=None, derandomize=True, deadline=None, max_examples=500)
@given(
    st.lists(KINDS, min_size=1, max_size=5),
    st.booleans(),
    st.sampled_from([None, "expired", "no longer needed"]),
)
def test_a_test_fails_exactly_where_the_candidate_does_not_conform(
    kinds: list[tuple[str, str, int]], strict: bool, stale: WaiverState | None
) -> None:
    if stale == "no longer needed":
        assume(kinds[0][1] == "held")
    report = made(kinds, strict, stale=stale)
    failed = [result.id for result in report.checks if item_result(report, result.id).kind == "failed"]
    assert bool(failed) == (report.verdict != "conforms"), (report.verdict, failed)


def test_a_report_without_verdict_fails_somewhere() -> None:
    for status, strict in product(("waived", "not applicable"), (False, True)):
        report = made([("MUST", "held", 0), ("MUST", status, 0)], strict, failure="its calls are hidden")
        assert item_result(report, "check-1").kind == "failed"
        assert item_result(report, "check-1").text == "check-1 could not be judged: its calls are hidden"


def test_advice_warns_and_fails_under_strict() -> None:
    kinds = [("MUST", "held", 0), ("SHOULD", "violated", 0)]
    assert item_result(made(kinds, False), "check-1").kind == "warned"
    assert item_result(made(kinds, True), "check-1").kind == "failed"
    assert "check-1 is broken" in item_result(made(kinds, False), "check-1").text


def test_what_is_blocked_names_the_check_in_its_way() -> None:
    report = made([("MUST", "violated", 0), ("MUST", "blocked", 0)], False)
    assert (item_result(report, "check-1").kind, item_result(report, "check-1").text) == (
        "skipped",
        "blocked by check-0",
    )


def test_what_a_waived_check_blocks_fails() -> None:
    report = made([("MUST", "waived", 0), ("MUST", "blocked", 0), ("MUST", "held", 0)], False)
    assert item_result(report, "check-0").kind == "xfailed"
    assert item_result(report, "check-1").text == (
        "check-1 could not be judged: check-0 is in its way. Fix that, or waive this check too: "
        "a waiver excuses its own check only."
    )


def test_what_is_not_applicable_is_skipped_with_its_reason() -> None:
    report = made([("MUST", "held", 0), ("MUST", "not applicable", 0)], False)
    assert (item_result(report, "check-1").kind, item_result(report, "check-1").text) == (
        "skipped",
        "not applicable: why",
    )


def test_a_waiver_that_is_not_needed_fails_its_check() -> None:
    report = made([("MUST", "held", 0)], False, stale="no longer needed")
    assert item_result(report, "check-0").text == (
        "check-0: the check holds, so its waiver (x) is no longer needed: remove it from pyproject.toml"
    )
