"""The contract `lifted`: right implementations conform, and each wrong one is caught by the checks that it names."""

from __future__ import annotations

import flax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from catalogue import core, judged, mutants, rights, violated
from nnx_conformance import check
from nnx_conformance.core import contracts
from nnx_reference import Implementation

CONTRACT = "lifted"
#: Compiling is slow: a few cases of few calls show what there is to show.
FEW, MORE = 4, 16
QUICK = {
    "nothing_is_lifted",
    "calls_are_rematerialised",  # what a call returns is shifted in its trace
}


def parameters(found: list[Implementation]) -> list[object]:
    """The implementations, all but some of them marked as slow."""
    return [pytest.param(one, id=one.name, marks=() if one.name in QUICK else pytest.mark.slow) for one in found]


@pytest.mark.medium
@pytest.mark.parametrize("right", parameters(rights(CONTRACT)))
def test_a_right_implementation_conforms(right: Implementation) -> None:
    report = judged(right, FEW, core(CONTRACT))

    assert violated(report) <= set(right.advice)
    if right.name == "branches_that_both_call":  # `vmap` runs both, and nobody can tell which of the calls count
        assert report.verdict == "could not be judged"
        return
    assert report.verdict == "conforms"
    other = {result.id: result.status for result in report.checks if result.level == "MUST" and result.status != "held"}
    assert other == {}


@pytest.mark.medium
@pytest.mark.parametrize("mutant", parameters(mutants(CONTRACT)))
def test_a_mutant_is_caught_by_the_checks_that_it_names(mutant: Implementation) -> None:
    report = judged(mutant, FEW)
    if not set(mutant.catches) <= violated(report):
        report = judged(mutant, MORE)

    assert set(mutant.catches) <= violated(report)


def test_every_check_has_a_mutant_that_it_catches_on_the_installed_flax() -> None:
    caught = {check for mutant in mutants(CONTRACT) for check in mutant.catches}
    every = {check.id for check in contracts.get(CONTRACT).checks}

    old = flax.__version__.startswith("0.8.")
    assert every - caught <= ({"input-untouched", "current-access"} if old else {"current-access"})


@pytest.mark.slow
def test_one_model_for_all_lanes_is_told_with_what_its_count_went_to() -> None:
    (mutant,) = (found for found in mutants(CONTRACT) if found.name == "one_model_whose_count_is_divided")
    (finding,) = judged(mutant, FEW).findings

    assert finding.what.startswith("`count` went to ") and " lanes of " in finding.what
    assert finding.cause == "the candidate calls one model for all lanes, so its count adds up over them"


@pytest.mark.slow
def test_models_made_anew_are_told_with_what_they_start_at() -> None:
    (mutant,) = (found for found in mutants(CONTRACT) if found.name == "models_are_made_anew_for_each_call")
    (finding,) = judged(mutant, MORE).findings

    assert finding.what.startswith("`count` of a model starts at [")
    assert finding.cause.endswith("makes new models for a call, with the count so far")


@pytest.mark.slow
def test_sums_of_what_was_given_are_told_as_such() -> None:
    (mutant,) = (found for found in mutants(CONTRACT) if found.name == "sums_the_given_lanes")
    (finding,) = judged(mutant, FEW).findings

    raised = "the kit raised what the last calls returned by 3, and what the models keep by as much or more"
    assert finding.what == f"{raised}; result[:, 1] stayed the same"
    assert finding.cause.endswith("something other than the last calls' outputs, such as xs itself")


@pytest.mark.slow
def test_a_broadcast_model_is_told_with_its_lanes() -> None:
    found = [found for found in mutants(CONTRACT) if found.name == "broadcasts_the_model"]
    if not found:
        pytest.skip("this Flax has no such broadcast")
    (mutant,) = found
    (finding,) = judged(mutant, FEW).findings

    assert finding.what.startswith("`count` is one number for all ")
    assert finding.cause == "the model is broadcast by `nnx.vmap`, so all lanes share its count"


@pytest.mark.medium
def test_counts_of_no_model_are_not_told_as_lost_by_a_transform() -> None:
    def lifted_count(seed: float, xs: jax.Array, n_calls: float) -> np.ndarray:
        return np.stack([np.zeros(len(xs)), np.asarray(xs).sum(1)], axis=1)

    found = check(lifted_count, contract=CONTRACT, max_examples=FEW, checks=("count-equals-calls",)).findings[0]

    assert found.cause == "no model was made that could count"


@pytest.mark.medium
def test_an_exception_of_the_candidates_own_code_is_to_be_fixed() -> None:
    def lifted_count(seed: float, xs: jax.Array, n_calls: float) -> None:
        raise ValueError("no such thing")

    found = check(lifted_count, contract=CONTRACT, max_examples=FEW).findings[0]

    assert found.what == "the candidate raised ValueError: no such thing"
    assert found.remedy.startswith("Fix what raises")


@pytest.mark.medium
def test_a_variable_that_holds_nothing_is_no_count() -> None:
    class Empty(nnx.Module):
        def __init__(self) -> None:
            self.count = nnx.Variable(jnp.zeros(0))

        @nnx.jit
        def __call__(self, x: jax.Array) -> jax.Array:
            self.count.value = self.count.value + 1.0
            return x

    def lifted_count(seed: float, xs: jax.Array, n_calls: float) -> np.ndarray:
        models = [Empty() for _ in range(len(xs))]
        for _ in range(int(n_calls)):
            for model, x in zip(models, xs, strict=True):
                model(x)
        return np.stack([np.full(len(xs), n_calls), np.asarray(xs).sum(1)], axis=1)

    report = check(lifted_count, contract=CONTRACT, max_examples=FEW, checks=("counts-in-variable",))

    assert report.findings[0].what == "no nnx.Variable of the module counts"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["returns_n_calls", "sets_the_counts_anew_and_returns_n_calls"])
def test_a_number_beside_the_models_is_found_on_every_case_that_is_shifted(name: str) -> None:
    (mutant,) = (found for found in mutants(CONTRACT) if found.name == name)
    result = judged(mutant, FEW).result("result-reads-state")

    assert result.violated == result.evaluated > 0
