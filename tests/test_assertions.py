"""chex asserts what the checks compare: on many cases together, and on the case of a finding."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import nnx_conformance
import nnx_reference
from nnx_conformance.core import case, contracts
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, another, at_most, near, same_bits, same_numbers
from nnx_conformance.core.contract import Judged, Violation, check, judged
from nnx_conformance.core.plan import Request, RunPlan
from nnx_conformance.judging.assertions import settle, wording
from nnx_conformance.judging.tally import Tally


def test_a_check_is_asked_what_is_wrong_only_where_what_it_compares_does_not_hold() -> None:
    broken = Violation("it is off")

    def said(*claims: Claim) -> Judged:
        made = check(id="x", level="MUST", requirement="", remedy="", wrong="", right="", claims=lambda *_: claims)
        return judged(made(lambda *_: broken), Case("core", ()), None)

    right, wrong = same_numbers(1, 1), same_numbers(1, 2)
    assert said(right) == Judged(None, (right,))
    assert said(right, wrong) == Judged(broken, (right, wrong))
    assert said() == Judged(broken)


def test_the_page_lists_the_checks_that_compare_nothing() -> None:
    page = Path(__file__).parents[1] / "docs" / "how-it-works.md"
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \| asks", page.read_text(), re.M)
    listed = {(contract, name) for name, where in rows for contract in re.findall(r"[a-z-]+", where)}

    assert listed == {
        (name, one.id) for name in contracts.names() for one in contracts.get(name).checks if not one.claims
    }


@pytest.mark.medium
def test_a_finding_has_the_words_of_chex() -> None:
    mutant = next(mutant for mutant in nnx_reference.mutants() if mutant.name == "loops_one_time_too_many")
    report = nnx_conformance.check(mutant.load(), max_examples=6)
    said = next(finding.assertion for finding in report.findings if finding.check == "count-equals-calls")

    assert said.startswith("[Chex] Assertion assert_trees_all_equal failed")
    assert "Max absolute difference among violations: 1." in said


def test_cases_are_asserted_together_and_the_refuted_ones_are_counted() -> None:
    tally = Tally(contracts.get("mutability").check("count-equals-calls"))
    for number in range(4):
        tally.add(request(number), None)
        tally.claims.append((request(number), (same_numbers(number, min(number, 2)), same_numbers(1, 1))))

    settle(tally)

    assert (tally.evaluated, tally.violated, tally.claims) == (4, 1, [])
    assert tally.example is not None
    assert tally.example.request.calls == 3
    assert tally.example.violation.what.startswith("chex: [Chex] Assertion assert_trees_all_equal failed")


def request(calls: int) -> Request:
    return Request(Case("core", (case.jax("x", np.zeros(1)),)), RunPlan(), calls)


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        (same_numbers(np.float32(3), 3), True),
        (same_numbers([3, 1], [3, 2]), False),
        (near(1.0, 1.1, 0.2), True),
        (near([1.0, 2.0], [1.1, 2.0], np.array([0.05, 0.0])), False),
        (near([1.0, np.nan, np.inf], [1.1, np.nan, np.inf], np.array([0.2, 0.0, 0.1])), True),
        (near([np.inf], [-np.inf], 1.0), False),
        (near([1.0, np.inf], [1.0, 3.0], np.array([0.5, 0.1])), False),
        (Claim(np.zeros(2, np.float32), np.zeros(2)), False),
        (Claim(np.zeros(2), np.zeros(3)), False),
        (Claim(np.array([np.nan]), np.array([np.nan])), True),
        (Claim(("count: a Variable",), ("count: none",)), False),
        (Claim((), ()), True),
        (Claim(("an array",), np.zeros(1)), False),
        (near([1.0, 2.0], [1.0], np.zeros(1)), False),
        (Claim(np.array([1 + 1j]), np.array([1 + 0j]), 2.0), True),
        (same_numbers([[1, 1], [1, 1]], 1), True),
        (same_bits(np.array([0.0]), np.array([-0.0])), False),
        (at_most(3, 2), False),
        (at_most(2, 2), True),
        (another(2.0, 2.0), False),
        (another(2.0, 3.0), True),
    ],
    ids=lambda value: str(value) if isinstance(value, bool) else "",
)
def test_what_chex_says_of_a_claim(claim: Claim, holds: bool) -> None:
    assert (wording([claim]) == "") is holds
    assert claim.holds() is holds
