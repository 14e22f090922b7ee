"""What an audit makes of its runs: intervals, the smallest set of checks, rows, problems, and its three forms."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import math
import random

import pytest

import reports
from nnx_conformance.audit import formats
from nnx_conformance.audit.audit import Audit, audited_checks, cover, smallest
from nnx_conformance.audit.interval import interval
from nnx_conformance.audit.kill_matrix import KillRow, kill_row
from nnx_conformance.audit.reach import ConditionReach
from nnx_conformance.audit.specimens import Kind, Specimen
from nnx_conformance.core.candidate.loaded import End
from nnx_conformance.core.contract import Level
from nnx_conformance.grading.grade import Grade, graded, ungraded

LEVELS: dict[str, Level] = {"wrapper-kept": "MUST", "count-equals-calls": "MUST", "quiet": "SHOULD"}


@pytest.mark.parametrize(
    ("hits", "runs", "low", "high"),
    [
        (0, 10, 0.0, 0.3085),
        (5, 10, 0.1871, 0.8129),
        (10, 10, 0.6915, 1.0),
        (3, 3, 0.2924, 1.0),
        (299, 300, 0.9816, 0.9999),
        (0, 0, 0.0, 1.0),
        (3000, 3000, 0.9988, 1.0),
    ],
)
def test_the_interval_is_that_of_clopper_and_pearson(hits: int, runs: int, low: float, high: float) -> None:
    found = interval(hits, runs)

    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.low <= found.share <= found.high or runs == 0


@pytest.mark.parametrize(
    ("hits", "runs", "low", "high"),
    [
        (1, 3, 0.008403758660, 0.905700675950),
        (2, 3, 0.094299324050, 0.991596241340),
        (7, 20, 0.153909204785, 0.592188534533),
        (59, 60, 0.910600949943, 0.999578125548),
        (1999, 2000, 0.997217360165, 0.999987341176),
    ],
)
def test_the_interval_agrees_with_sums_of_the_binomial_distribution(
    hits: int, runs: int, low: float, high: float
) -> None:
    found = interval(hits, runs)

    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_at_a_bound_what_was_seen_has_the_probability_of_one_tail() -> None:
    found = interval(7, 20)

    def at_least(hits: int, p: float) -> float:
        return sum(math.comb(20, k) * p**k * (1 - p) ** (20 - k) for k in range(hits, 21))

    assert at_least(7, found.low) == pytest.approx(0.025)
    assert 1 - at_least(8, found.high) == pytest.approx(0.025)


def test_an_interval_of_more_hits_than_runs_is_refused() -> None:
    with pytest.raises(ValueError) as caught:
        interval(4, 3)
    assert str(caught.value) == "Expected a number of hits from 0 to runs=3 but got hits=4 (type=int)."


def test_the_smallest_set_is_smaller_than_what_greed_finds() -> None:
    # Greed takes `big`, which catches four of six, and then needs both others.
    caught = {"1": {"left", "big"}, "2": {"left", "big"}, "3": {"left"}, "4": {"right", "big"}, "5": {"right", "big"}}
    found = cover({name: frozenset(by) for name, by in {**caught, "6": {"right"}}.items()})

    assert (set(found.checks), found.exact) == ({"left", "right"}, True)


def test_what_nothing_catches_needs_no_check() -> None:
    assert cover({"survivor": frozenset()}).checks == ()


@pytest.mark.parametrize("seed", range(20))
def test_no_smaller_set_of_checks_catches_all(seed: int) -> None:
    source, checks = random.Random(seed), "abcdefg"
    caught = {str(at): frozenset(source.sample(checks, source.randint(1, 3))) for at in range(10)}

    found = cover(caught)

    assert all(by & set(found.checks) for by in caught.values())
    smaller = itertools.combinations(checks, len(found.checks) - 1)
    assert found.exact and not any(all(by & set(chosen) for by in caught.values()) for chosen in smaller)


def specimen(kind: Kind = "mutant", **changes: object) -> Specimen:
    made = Specimen("one", kind, "Does something.", b"", ("wrapper-kept",) if kind == "mutant" else ())
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def grades(*runs: tuple[str, ...]) -> list[Grade]:
    """One run for each tuple of violated checks."""
    return [graded("one", reports.report(*map(reports.finding, violated))) for violated in runs]


def test_a_row_counts_runs_and_cases_of_each_check() -> None:
    found = kill_row(specimen(), grades(("wrapper-kept", "quiet"), ("wrapper-kept",), ()))

    assert (found.runs, found.caught, found.by) == (3, 2, {"wrapper-kept": 2, "quiet": 1})
    assert found.cases == {"wrapper-kept": (124, 400), "quiet": (62, 200)}
    assert str(found.probability) == "0.67 [0.09, 0.99]"


def test_what_flags_the_reference_too_catches_nothing_that_does_not_name_it() -> None:
    excused = frozenset({"quiet"})

    assert kill_row(specimen(), grades(("quiet",)), excused).caught == 0
    assert kill_row(specimen(catches=("quiet",)), grades(("quiet",)), excused).by == {"quiet": 1}
    assert kill_row(specimen("right"), grades(("quiet",)), excused).accused == ("quiet",)


def test_a_check_that_caught_its_mutant_in_no_run_has_lost_it() -> None:
    assert kill_row(specimen(), grades(("quiet",), ())).lost == ("wrapper-kept",)
    assert kill_row(specimen(), grades(("wrapper-kept",), ())).lost == ()
    assert kill_row(specimen("made"), grades(())).lost == ()


def test_a_right_one_is_accused_by_what_its_metadata_do_not_allow() -> None:
    found = kill_row(specimen("right", advice=("quiet",)), grades(("quiet",), ("quiet", "wrapper-kept")))

    assert found.accused == ("wrapper-kept",)


def test_what_was_made_and_cannot_be_loaded_counts_for_nothing() -> None:
    unloaded = reports.report(reports.finding("returns-pair", what="it could not be loaded"), cases=0)
    found = kill_row(specimen("made"), [graded("one", unloaded)])

    assert (found.dead, found.unloaded) == (True, "it could not be loaded")
    assert audit(found).mutants == ()


def audit(*rows: KillRow, **changes: object) -> Audit:
    made = Audit("mutability", "1", "0.12.8", "0.10.2", "3.11.7", (0, 1), 200, rows=rows)
    made = dataclasses.replace(made, checks=audited_checks(LEVELS, rows, ()), smallest=smallest(rows))
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


CAUGHT = kill_row(specimen(), grades(("wrapper-kept", "quiet"), ("wrapper-kept",)))
COUNTED = kill_row(specimen(name="two", catches=("count-equals-calls",)), grades(("count-equals-calls",), ("quiet",)))
RIGHT = kill_row(specimen("right", name="fine", advice=("quiet",)), grades(("quiet",), ()))
SOUND = (RIGHT, CAUGHT, COUNTED, kill_row(specimen(name="loud", catches=("quiet",)), grades(("quiet",), ("quiet",))))


def test_an_audit_that_finds_no_problem_is_sound() -> None:
    found = audit(*SOUND)

    assert (found.problems, found.exit_status) == ((), 0)
    assert [(check.catches, check.alone) for check in found.checks] == [
        (("one",), ()),
        (("two",), ()),
        (("one", "two", "loud"), ("loud",)),
    ]
    assert set(found.smallest.checks) == {"quiet"}


SURVIVED = kill_row(specimen("made", name="swap-1", story="line 3: `a` becomes `b`"), grades((), ()))
PROBLEMS = {
    "a lost mutant": (
        kill_row(specimen(name="lost"), grades(("quiet",), ())),
        "lost is caught no more by wrapper-kept, which it names; it was caught by quiet",
    ),
    "a mutant that nobody catches": (
        kill_row(specimen(name="lost"), grades((), ())),
        "lost is caught no more by wrapper-kept, which it names",
    ),
    "a survivor": (SURVIVED, "swap-1 survived: line 3: `a` becomes `b`"),
    "a false accusation": (
        kill_row(specimen("right", name="fine"), grades(("wrapper-kept",), ())),
        "fine is right, and is accused by wrapper-kept",
    ),
    "one that ran out of time": (
        kill_row(
            specimen("right", name="slow"),
            [
                graded("slow", reports.report(failure="No time.", ended=End.TIMED_OUT)),
                *grades(("wrapper-kept",)),
            ],
        ),
        "slow is right, and is accused by wrapper-kept (1 of 2 runs ran out of time: is the machine busy?)",
    ),
    "one whose result reads as if it had": (
        kill_row(
            specimen("right", name="slow"),
            [graded("slow", reports.report(reports.finding(observed="timed out"))), *grades(())],
        ),
        "slow is right, and is accused by wrapper-kept",
    ),
    "one that is recorded as right": (
        kill_row(specimen("made", name="cast-1", equivalent="any dtype will do"), grades(("quiet",), ())),
        "cast-1 is recorded as right after all (any dtype will do), and was caught by quiet",
    ),
    "a mutant that cannot be loaded": (
        kill_row(specimen(), [graded("one", reports.report(reports.finding(what="no module torch"), cases=0))]),
        "one shows nothing: no module torch",
    ),
    "a failure of the kit": (
        kill_row(specimen("rare", name="odd"), [ungraded("odd", "Traceback\nKitError: no"), *grades(("quiet",))]),
        "odd: the kit failed at it: KitError: no",
    ),
}


@pytest.mark.parametrize(("one", "told"), PROBLEMS.values(), ids=list(PROBLEMS))
def test_a_problem_is_told_in_a_line_and_makes_it_unsound(one: KillRow, told: str) -> None:
    found = audit(*SOUND, one)

    assert found.problems == (told,)
    assert found.exit_status == 1


def test_a_survivor_that_is_recorded_as_right_is_no_problem() -> None:
    assert audit(*SOUND, dataclasses.replace(SURVIVED, equivalent="b is a")).problems == ()


def test_a_check_that_caught_nothing_is_told_unless_it_has_no_mutant_here() -> None:
    rows = (RIGHT, CAUGHT)
    told = "check count-equals-calls caught no mutant: nobody knows that it can fail"

    assert audit(*rows).problems == (told,)
    assert audit(*rows, checks=audited_checks(LEVELS, rows, ("count-equals-calls",))).problems == ()
    assert audit(*rows, partial="only one").problems == ()


def written(form: str, found: Audit) -> str:
    text = io.StringIO()
    formats.FORMATS[form](found, text)
    return text.getvalue()


REACH = ConditionReach("seed-is-7", "literal", "seed == 7", 0.00025, interval(1, 40))


def test_the_table_shows_matrix_checks_reaches_and_accounting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    text = written("table", audit(*SOUND, SURVIVED, reaches=(REACH,), absent={"torch": 7}, seconds=61.4))

    assert "one    #.+  1.00 [0.16, 1.00]" in text
    assert "two    .++  0.50 [0.01, 0.99]" not in text  # caught in one run by the one, in the other by the other
    assert "two    .++  1.00 [0.16, 1.00]" in text
    assert "swap-1 ...  0.00 [0.00, 0.84]" in text
    assert "1 of 3 checks catch all that is caught (no smaller set does)" in text
    assert "seed-is-7  literal  0.03%         0.03 [0.00, 0.13]" in text
    assert "  swap-1 survived: line 3: `a` becomes `b`\ncontract mutability is not sound\n" in text
    assert "4 mutants = 3 caught in every run + 0 in some + 1 survived; 0 more are right after all, 0 are no" in text
    assert "7 implementations left out for want of torch, which is not installed" in text
    assert "2 runs of each with 200 cases; Flax 0.12.8, JAX 0.10.2, Python 3.11.7; 61 s" in text


@pytest.mark.parametrize("form", ["table", "html"])
def test_where_mutants_were_judged_by_what_they_name_nothing_is_said_of_what_others_catch(form: str) -> None:
    whole, narrow = written(form, audit(*SOUND)), written(form, audit(*SOUND, narrow=True))

    for told in ("alone it catches", "needed", "1 of 3 checks catch all that is caught"):
        assert told in whole and told not in narrow
    assert "Each mutant was judged only by the checks that it names." in narrow


def test_json_says_none_for_what_is_not_known_where_mutants_were_judged_by_what_they_name() -> None:
    found = json.loads(written("json", audit(*SOUND, narrow=True)))

    assert (found["sound"], found["narrow"], found["smallest"]) == (True, True, None)
    assert [check["alone"] for check in found["checks"]] == [None] * 3


def test_json_holds_all_of_it() -> None:
    found = json.loads(written("json", audit(*SOUND, SURVIVED, reaches=(REACH,))))

    assert (found["sound"], found["survivors"], found["problems"]) == (False, ["swap-1"], [*PROBLEMS["a survivor"][1:]])
    assert found["smallest"] == {"checks": ["quiet"], "exact": True}
    (one,) = [each for each in found["rows"] if each["name"] == "one"]
    assert (one["by"], one["cases"]["quiet"]) == ({"wrapper-kept": 2, "quiet": 1}, [62, 200])
    assert one["probability"]["low"] == pytest.approx(0.1581, abs=1e-4)
    assert found["reaches"][0]["met"]["hits"] == 1


def test_the_page_is_a_heat_map_that_loads_nothing_and_runs_nothing_foreign() -> None:
    hostile = kill_row(specimen("made", name=reports.HOSTILE, story=reports.HOSTILE), grades((), ()))
    page = written("html", audit(*SOUND, hostile, reaches=(REACH,)))

    assert 'class="nnxc-hot-3 nnxc-named" title="wrapper-kept">31</td>' in page  # 62 of 200 cases, as its mutant says
    assert "<td>1.00 [0.16, 1.00]</td>" in page
    assert "<script>alert" not in page and "onerror=alert(2)>" not in page and page.count("<script>") == 1
    assert not [word for word in (' src="', "url(", "@import", 'href="http') if word in page]
    assert "light-dark(" in page and 'content="light dark"' in page
