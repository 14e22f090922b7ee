"""What interventions ask for: each count, sum, lane and feature follows its own change, by as much, and no other."""

from __future__ import annotations

import numpy as np
import pytest

import nnx_reference
from catalogue import judged
from nnx_conformance.contracts.following import amounts_in_turn, in_blocks
from nnx_conformance.contracts.wording import also_astray
from nnx_conformance.core import case as cases
from nnx_conformance.core import contracts
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import Unseen, Violation, judgement
from nnx_conformance.core.plan import AMOUNT, SHIFTS, Request, RunPlan, own_amounts
from nnx_conformance.observe.functions import observe
from nnx_conformance.observe.load import from_function

#: Mutants that follow a change in part, or another's, and what the finding says of the first that goes astray.
ASTRAY = (
    (
        "mutability",
        "averages_the_count_with_the_loop",
        "raised the count by 3 after the last call; result[0] rose by 1.5",
    ),
    ("mutability", "doubles_what_the_count_is_off", "raised the count by 3 after the last call; result[0] rose by 6"),
    (
        "mutability",
        "averages_the_sums_of_input_and_output",
        "raised what the last call returned by 3; result[1] rose by",
    ),
    ("running-mean", "nnx_halfway_between_state_and_its_own", "raised feature 0 of the state by 3 after the last step"),
)


@pytest.mark.medium
@pytest.mark.parametrize(("contract", "name", "what"), ASTRAY, ids=[name for _, name, _ in ASTRAY])
def test_a_finding_says_by_how_much_the_result_followed(contract: str, name: str, what: str) -> None:
    (mutant,) = (found for found in nnx_reference.mutants(contract) if found.name == name)

    (finding,) = judged(mutant).findings

    assert what in finding.what


@pytest.mark.parametrize(("element", "judged_as"), [(1.0, Violation), (1e6, Unseen)])
def test_what_is_lost_in_the_rounding_of_a_large_sum_counts_for_nothing(element: float, judged_as: type) -> None:
    mutability = contracts.get("mutability")
    (mutant,) = (found for found in nnx_reference.mutants("mutability") if found.name == "sums_the_given_input")
    x = np.full(512, element, np.float32)
    case = Case("core", (cases.python("seed", 0.0), cases.jax("x", x), cases.python("n_calls", 2.0)))

    facts = observe(from_function(mutant.load(), "candidate"), Request(case, RunPlan((SHIFTS,)), 2))

    check = mutability.check("result-reads-output")
    assert isinstance(judgement(check, case, mutability.read(case, facts)), judged_as)


def test_the_amounts_differ_have_both_signs_and_a_positive_sum() -> None:
    amounts = own_amounts(33)

    assert amounts[0] == AMOUNT
    assert (amounts < 0).any() and (np.abs(amounts) >= AMOUNT).all()
    assert len(set(amounts.tolist())) > 20
    assert all(own_amounts(size).sum() > 0 for size in range(1, 200))


def test_a_row_a_column_and_single_numbers_may_follow_their_own_changes() -> None:
    every = own_amounts(12)
    known = [amounts.tolist() for amounts in amounts_in_turn(3)]

    assert known[0] == every[:3].tolist()
    assert every[3:6].tolist() in known and every[1:6:2].tolist() in known
    assert np.roll(every[:3], 1).tolist() not in known


@pytest.mark.parametrize(
    ("rises", "right"),
    [([3, 10, -6], True), ([3, 10, 3, 10, -6], True), ([3, 3, 3], True), ([10, 3, -6], False), ([3, 0, -6], False)],
)
def test_lanes_in_groups_are_changed_from_the_first_of_each_on(rises: list[float], right: bool) -> None:
    assert in_blocks(np.array(rises, float)) is right


def test_further_lanes_that_go_astray_are_named_in_the_number_that_fits() -> None:
    assert also_astray("lane", []) == ""
    assert also_astray("lane", [3]) == "; lane 3 does not follow its own change either"
    assert also_astray("feature", [2, 4]) == "; features 2, 4 do not follow their own changes either"
