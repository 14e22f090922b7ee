"""Led search: from what a candidate compares to the cases that meet its conditions."""

from __future__ import annotations

import dataclasses
import io
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import reports
from nnx_conformance import check
from nnx_conformance.contracts.counter.domain import COMPONENTS
from nnx_conformance.contracts.lifted.domain import COMPONENTS as LIFTED
from nnx_conformance.contracts.running_mean.domain import COMPONENTS as RUNNING_MEAN
from nnx_conformance.core import contracts
from nnx_conformance.core.case import Case
from nnx_conformance.core.facts import Line
from nnx_conformance.core.search.components import Array, Components, Real, Whole
from nnx_conformance.core.search.conditions import (
    ELEMENTS,
    TEXT,
    VISITS,
    Comparison,
    Conditions,
    Operand,
    Outcome,
    Site,
    Unmet,
    Watched,
    checked,
    negated,
)
from nnx_conformance.judging.client import Client
from nnx_conformance.judging.leading import Leading
from nnx_conformance.judging.solving import CaseSearch
from nnx_conformance.observe.conditions.recorder import Comparisons, ConditionRecorder
from nnx_conformance.observe.conditions.syntax import rewritten
from nnx_conformance.observe.conditions.watching import has_conditions, watching
from nnx_conformance.observe.load import import_file
from nnx_conformance.observe.source import Source
from nnx_conformance.reports import terminal

SETUP = """
import bisect, hashlib, json
import numpy as np
SIZES = {k * k + 1 for k in range(21, 31)}
TABLE = {k**5 + 7: True for k in range(20, 29)}
LIMITS = [10**9 + 7 * k for k in range(6)]
KEYS = {(k * 1009, 20 + k) for k in range(7, 12)}
WANTED = np.array([2.0, 7.0, 1.5])
"""


def watch(body: str, arguments: Sequence[str] = ("seed", "x", "n_calls")) -> Callable[[Case], list[Site]]:
    """A function of these arguments, watched in this process; nothing of JAX runs in it."""
    source = f"{SETUP}\ndef candidate({', '.join(arguments)}):\n{textwrap.indent(body, '    ')}\n"
    tree, places = rewritten(source, "candidate.py")
    recorder, names = ConditionRecorder(), dict[str, Any]()
    names.update(recorder.functions())
    exec(compile(tree, "candidate.py", "exec"), names)

    def watched(case: Case) -> list[Site]:
        recorder.visits.clear()
        given = [case[name].item() if not case[name].ndim else case[name] for name in arguments]
        names["candidate"](*given)
        sites = []
        for number, place in enumerate(places):
            seen = recorder.visits.get(number, Comparisons())
            line = Line("candidate.py", place.line, "")
            sites.append(Site(line, 0, place.text, place.operator, int(seen.outcome), seen.traced, seen.kept()))
        return sites

    return watched


def searched(body: str, components: Components = COMPONENTS) -> CaseSearch:
    """The search, led by a function, from the base case alone."""
    search = CaseSearch(components, watch(body, tuple(argument.name for argument in components.base.arguments)))
    search.run([], 300)
    return search


def is_met(search: CaseSearch, text: str) -> bool:
    """Whether a condition came out both ways."""
    conditions = search.conditions.values()
    (met,) = [each.met for each in conditions if each.site.text == text and each.site.operator != "table"]
    return met & 3 == 3


@pytest.mark.parametrize(
    "test",
    [
        "int(seed) == 123456789",
        "x.size == 613",
        "int(n_calls) == 38",
        "float(x.max()) > 987654.0",
        "x.size in SIZES",
        "TABLE.get(int(seed), False)",
        "bisect.bisect(LIMITS, int(seed)) == 3",
        "int(seed) % 10007 == 4242",
        "int(seed) & 0xFF00FF == 0xAB0017",
        "(int(seed) >> 12) & 0x3FF == 0x2A5",
        "int(seed) // 1000 == 57_913",
        "bin(int(seed)).count('1') == 23",
        "hashlib.md5(str(int(seed)).encode()).digest()[0] % 64 == 7",
        "str(int(seed)).endswith('7391')",
        "sum(map(int, str(int(seed)))) == 67",
        "int(seed) ** 2 == 15_241_383_936",
        "(int(seed), x.size, int(n_calls)) == (90_210, 77, 29)",
        "(int(seed), int(n_calls)) in KEYS",
        "int(seed) * int(n_calls) == 1_000_003 * 7",
        "float(x.sum()) == 31_415.5",
        "abs(float(x.mean()) - 271.75) < 1e-3",
        "int(np.argmax(x)) == 11",
        "bool((x == x[0]).all() and x.size > 5)",
        "bool((x[1:] > x[:-1]).all() and x.size > 6)",
        "x[:3].tolist() == [3.0, 1.0, 4.0]",
        "np.array_equal(x[:3], WANTED)",
        "int((x == 0.5).sum()) == 4",
        "f'{int(seed):08x}'[3:6] == 'abc'",
        "sorted(str(int(seed))) == list('123456')",
        "int(seed) ^ (int(n_calls) << 8) == 0x1F07",
        "float(x.min()) + float(x.max()) == 7.5",
        "float(np.median(x)) == 42.0",
        "abs(float(np.dot(x, x)) - 1e4) < 1e-2",
        "np.count_nonzero(x < 0) == 9",
    ],
)
def test_a_condition_is_met_both_ways(test: str) -> None:
    search = searched(f"if {test}:\n    return 1")

    assert is_met(search, test) and search.runs <= 300


def test_conditions_one_in_another_are_met_one_after_another() -> None:
    search = searched(
        "if int(seed) % 1009 == 77:\n    if x.size == 19:\n        if float(x[0]) == 2.5:\n            return 1"
    )

    assert is_met(search, "float(x[0]) == 2.5")
    assert search.runs < 100


@pytest.mark.parametrize(
    ("body", "last"),
    [
        ("if x.size == 5 and hashlib.md5(str(seed).encode()).digest()[0] % 97 == 13:\n    return 1", None),
        ("if x.size >= 2 and float(x[-1]) == 2 * float(x[-2]) != 0:\n    return 1", "2 * float(x[-2]) != 0"),
        ("if int(n_calls) > 30 and str(int(seed))[-1:] == '7' and x.size % 7 == 3:\n    return 1", "x.size % 7 == 3"),
        ("match int(n_calls):\n    case 17 | 39 if int(seed) > 10**9:\n        return 1", "int(seed) > 10**9"),
    ],
)
def test_what_leads_to_a_condition_is_met_otherwise_where_that_is_needed(body: str, last: str | None) -> None:
    search = searched(body)

    assert is_met(search, last or "hashlib.md5(str(seed).encode()).digest()[0] % 97 == 13")


def test_conditions_that_must_hold_together_are_met_part_by_part() -> None:
    search = searched("if int(seed) == 4242 and x.size == 33 and int(n_calls) == 17:\n    return 1")

    assert is_met(search, "int(n_calls) == 17")
    case = search.led[-1]
    assert (case["seed"], case["x"].size, case["n_calls"]) == (4242, 33, 17)


def test_every_visit_of_a_condition_counts() -> None:
    assert is_met(searched("for at in range(int(n_calls)):\n    if at == 46:\n        return 1"), "at == 46")


def test_the_values_of_patterns_are_conditions() -> None:
    search = searched("match (int(seed), x.size):\n    case (31_337, 5 | 6):\n        return 1")

    assert is_met(search, "(31_337, 5 | 6)")


@pytest.mark.parametrize(
    ("components", "test"),
    [
        (LIFTED, "float(xs[0, 0]) == 4711.0"),
        (LIFTED, "xs.shape[1] == 29"),
        (LIFTED, "int(n_calls) % 13 == 12"),
        (RUNNING_MEAN, "momentum == 0.37"),
        (RUNNING_MEAN, "int(seed) == 31337"),
        (RUNNING_MEAN, "float(batches.min()) < -4711.5"),
    ],
)
def test_the_contracts_say_what_their_cases_are_made_of(components: Components, test: str) -> None:
    assert is_met(searched(f"if {test}:\n    return 1", components), test)


def test_what_only_chance_meets_is_tried_with_ever_new_values_of_what_it_depends_on() -> None:
    # One whole number in 256; nothing in `x` and `n_calls` matters, so no run is spent on them.
    test = "hashlib.md5(str(int(seed)).encode()).hexdigest().startswith('{:02x}')"
    searches = [searched(f"if {test.format(number)}:\n    return 1") for number in range(0, 256, 16)]

    assert sum(is_met(search, test.format(16 * at)) for at, search in enumerate(searches)) >= 15
    assert max(search.runs for search in searches) <= 900


def test_a_search_goes_on_where_it_came_to() -> None:
    body = "if hashlib.md5(str(int(seed)).encode()).digest()[:2] == b'\\x07\\x07':\n    return 1"
    search = searched(body)
    runs = search.runs
    near = [case.key for case in search.nearest()]

    search.run([], 300)

    assert near and runs + 300 <= search.runs <= runs + 900


def test_a_case_of_zeros_has_a_twin_of_ordinary_numbers_in_which_a_fault_shows() -> None:
    zeros = RUNNING_MEAN.put(RUNNING_MEAN.base, "batches", np.zeros((1, 1, 1)))
    zeros = zeros and RUNNING_MEAN.put(zeros, "momentum", 0.0)
    assert zeros is not None
    body = "if float(momentum) == 0.25 and batches.shape[0] > 2:\n    return 1"
    search = CaseSearch(RUNNING_MEAN, watch(body, ("seed", "batches", "momentum")))

    search.run([zeros], 300)

    reached = [case for case in search.led if case["momentum"] == 0.25 and len(case["batches"]) > 2]
    assert any(np.ptp(case["batches"]) > 0 for case in reached)


def test_the_same_conditions_lead_to_the_same_cases() -> None:
    body = "if int(seed) % 10007 == 4242 and x.size in SIZES:\n    return 1"

    first, second = searched(body), searched(body)

    assert [case.key for case in first.led] == [case.key for case in second.led]
    assert first.runs == second.runs


@pytest.mark.parametrize(
    ("body", "most"),
    [
        ("if isinstance(x, int):\n    return 1", 60),
        ("if n_calls < 0:\n    raise ValueError", 80),
        ("assert x.ndim == 1", 60),
        ("return seed", 1),
        ("if x.size == 1:\n    assert str(x.dtype) == 'float32'", 80),
        ("for at in range(int(n_calls)):\n    if at % 100 == 99:\n        return 1", 150),
    ],
)
def test_what_no_case_can_meet_costs_few_runs(body: str, most: int) -> None:
    assert searched(body).runs <= most


def test_cases_stay_in_the_domain() -> None:
    search = searched("if seed == 2**40 or n_calls == 65 or x.size == 1025 or x.max() > 1e7:\n    return 1")

    for case in search.led:
        assert 0 <= case["seed"] < 2**32 and 1 <= case["n_calls"] <= 64 and 1 <= case["x"].size <= 1024
        assert case["x"].dtype == np.float32 and np.abs(case["x"]).max() <= 1e6


def test_an_argument_takes_only_what_it_may_be() -> None:
    assert Whole(1, 64).fits(38.0) and not Whole(1, 64).fits(38.5) and not Whole(1, 64).fits(65)
    assert Real(0.0, 1.0).fits(0.0) and not Real(0.0, 1.0).fits(1.0)
    array = Array(((1, 3), (2, 4)), 10.0)
    assert array.fits(np.zeros((3, 4))) and not array.fits(np.zeros((4, 4))) and not array.fits(np.full((3, 4), 11.0))
    assert array.shaped((5.0,), 7).shape == (2, 4) and array.shaped((5.0,), 7).flat[0] == 5.0


def recorded(body: str, *arguments: Any) -> list[Site]:
    """What one call of a function of `a` and `b` compares."""
    source = f"def candidate(a, b):\n{textwrap.indent(body, '    ')}\n"
    tree, places = rewritten(source, "candidate.py")
    recorder, names = ConditionRecorder(), dict[str, Any]()
    names.update(recorder.functions())
    exec(compile(tree, "candidate.py", "exec"), names)
    names["candidate"](*arguments)
    visits = [recorder.visits.get(number, Comparisons()) for number in range(len(places))]
    line = Line("candidate.py", 1, "")
    return [
        Site(line, 0, place.text, place.operator, int(each.outcome), each.traced, each.kept())
        for place, each in zip(places, visits, strict=True)
    ]


def test_operands_are_recorded_as_plain_data() -> None:
    sites = recorded("return a < 3 < b, (a, b) == (1, 2), a in {3: 4}, 'x' + str(a) == 'x1'", 1, 5)

    assert [site.text for site in sites] == [
        "a < 3",
        "3 < b",
        "(a, b) == (1, 2)",
        "a in {3: 4}",
        "'x' + str(a) == 'x1'",
    ]
    assert [(site.visits[0].left.value, site.visits[0].right.value) for site in sites] == [
        (1, 3),
        (3, 5),
        ([1, 5], [1, 2]),
        (1, [3]),
        ("x1", "x1"),
    ]
    assert [Outcome(site.outcome) & 3 for site in sites] == [1, 1, 2, 2, 1]


def test_of_an_array_any_and_all_of_its_elements_are_outcomes() -> None:
    (site,) = recorded("a > b", np.array([1.0, 5.0]), 3.0)

    assert site.outcome == Outcome.TRUE | Outcome.FALSE
    assert site.visits[0].left.value.tolist() == [1.0, 5.0]


def test_what_is_kept_of_a_condition_is_bounded() -> None:
    (site,) = recorded("for at in range(10_000):\n    a == at", 7000, 0)
    (large,) = recorded("a > b", np.zeros(ELEMENTS + 1), 0)
    (long,) = recorded("a == b", b"x" * (TEXT + 1), 1 << 200)

    assert len(site.visits) == VISITS and site.outcome == 15
    assert 7000 in [visit.right.value for visit in site.visits]  # the one that came nearest
    assert large.visits[0].left.value is None and large.outcome
    assert long.visits[0].left.value is long.visits[0].right.value is None
    checked(Watched((site, large, long)))


@pytest.mark.parametrize(
    "visit",
    [
        Comparison(Operand("1" * 9000), Operand(), 0),
        Comparison(Operand("no JSON"), Operand(), 0),
        Comparison(Operand("[" * 4000 + "]" * 4000), Operand(), 0),
        Comparison(Operand("[[[1]]]"), Operand(), 0),
        Comparison(Operand("1" + "0" * 400), Operand(), 0),
        Comparison(Operand(), Operand(f'"{"9" * 5000}"'), 0),
        Comparison(Operand('{"a": 1}'), Operand(), 0),
        Comparison(Operand(array=np.zeros(ELEMENTS + 1)), Operand(), 0),
    ],
)
def test_a_forged_record_is_refused(visit: Comparison) -> None:
    site = Site(Line("solution.py", 1, ""), 1, "a == b", "==", 1, False, (visit,))

    with pytest.raises(ValueError):
        checked(Watched((site,)))
    with pytest.raises(ValueError, match="more conditions"):
        checked(Watched((dataclasses.replace(site, visits=(Comparison(Operand(), Operand(), 0),) * 30),)))


def test_a_function_that_is_alive_is_watched_wherever_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "kept.py"
    path.write_text(
        "import functools\ndef kept(a):\n    return 'yes' if a == 7 else 'no'\nTABLE = {1: functools.partial(kept)}\n"
        "del kept\ndef other(a):\n    return a < 3\n"
    )
    module = import_file(str(path))
    watched = watching(Source(str(path)))

    with watched.recording() as recorder:
        assert module.TABLE[1](7) == "yes"
    assert module.TABLE[1](8) == "no"

    first, second = watched.watched(recorder).sites
    assert (str(first.line), first.text, first.function, first.outcome) == ("kept.py:3", "a == 7", 2, 5)
    assert (second.text, second.function, second.visits) == ("a < 3", 6, ())


def test_a_source_that_is_nested_too_deep_is_not_watched(tmp_path: Path) -> None:
    path = tmp_path / "deep.py"
    path.write_text(f"def deep(a):\n    return {'1 + ' * 600}(a == 7)\n")
    module = import_file(str(path))
    watched = watching(Source(str(path)))

    assert module.deep(7) == 601 and has_conditions(Source(str(path)))
    assert watched.untouched == "deep.py cannot be rewritten (RecursionError)" and watched.functions == ()


SOLUTION = """
import jax, jax.numpy as jnp
from flax import nnx


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x

@jax.jit
def helper(x, total):
    return jnp.where(x[0] == 321.0, total + 1.0 + abs(total), total)


def mutability_increment_count(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    total = last_x.sum()
    {body}
    return jnp.array([model.count.value, total])
"""


def report(path: Path, body: str) -> Any:
    path.write_text(SOLUTION.format(body=body))
    return check(str(path), max_examples=30)


@pytest.mark.slow
def test_a_finding_names_the_condition_without_which_there_is_none(tmp_path: Path) -> None:
    found = report(tmp_path / "solution.py", "total = total * 2 + 1 if int(seed) % 10007 == 4242 else total")

    (finding,) = [each for each in found.findings if each.check == "sum-preserved"]
    assert finding.condition == "`int(seed) % 10007 == 4242`"
    assert str(finding.case) == "seed=4242.0  x=[ 1. , -2.5]  n_calls=2.0"
    assert (found.conditions.total, found.conditions.unmet) == (1, ())
    assert "conditions     1 of 1 met both ways" in str(found)


@pytest.mark.slow
def test_a_condition_inside_a_trace_is_met(tmp_path: Path) -> None:
    found = report(tmp_path / "solution.py", "total = helper(x, total)")

    (finding,) = [each for each in found.findings if each.check == "sum-preserved"]
    assert finding.condition == "`x[0] == 321.0`"


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        "total = last_x[0] if x.size == 1 else total",
        "assert int(n_calls) == float(model.count.value), 'lost a call'",
        "if n_calls < 0 or x.ndim != 1: raise ValueError('no calls')",
    ],
)
def test_harmless_conditions_accuse_nobody(body: str, tmp_path: Path) -> None:
    found = report(tmp_path / "solution.py", body)

    assert found.verdict == "conforms"
    assert found.conditions.total


def test_a_report_counts_the_conditions_and_lists_those_that_were_not_met() -> None:
    line = Line("solution.py", 14, "if x.sum() == 1234.5:")
    unmet = Unmet(line, "x.sum() == 1234.5", "true", "1234.0 against 1234.5")
    made = reports.report(reports.finding(condition="`x.size == 7`"), conditions=Conditions(8, (unmet,), 40, ""))
    text = io.StringIO()
    terminal.write([made], text, "verbose")

    assert "  conditions     7 of 8 met both ways\n" in text.getvalue()
    listed = "    solution.py:14  x.sum() == 1234.5  was never true (nearest: 1234.0 against 1234.5)\n"
    assert listed in text.getvalue() and listed not in terminal.report_text(made)
    assert "  only where     `x.size == 7`\n" in text.getvalue()


def test_a_report_says_what_was_not_watched() -> None:
    made = reports.report(conditions=Conditions(note="solution.py cannot be rewritten (RecursionError)"))

    assert "conditions     not all were watched: solution.py cannot be rewritten" in terminal.report_text(made)


def test_how_long_cases_are_looked_for_is_a_matter_of_processor_time() -> None:
    session: Any = SimpleNamespace(isolated=True, used=12.5)
    facts = SimpleNamespace(watched=Watched(()), run=SimpleNamespace(raised=None))
    client: Any = SimpleNamespace(submit=lambda _: None, collect=lambda: facts, used=31.0)
    leading = Leading(client, COMPONENTS, lambda _: 1)

    leading.cases([], 300, lambda: leading.used > 30.0)

    assert Client(contracts.get("mutability"), session, lambda: session).used == 12.5
    assert leading.conditions.note == "looking for cases took as long as judging them"


@pytest.mark.parametrize(
    ("text", "negation"),
    [
        ("out.shape[0] != 7", "out.shape[0] == 7"),
        ("seed in (3, 4)", "seed not in (3, 4)"),
        ("model is None", "model is not None"),
        ("x < 4", "not (x < 4)"),
        ("1 == x == y", "not (1 == x == y)"),
        ("flag", "not (flag)"),
        ("x == veryl...", "not (x == veryl...)"),
    ],
)
def test_a_condition_that_must_be_false_is_named_by_its_negation(text: str, negation: str) -> None:
    assert negated(text) == negation
