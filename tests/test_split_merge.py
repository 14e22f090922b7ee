"""The contract `split-merge`: right implementations conform, each wrong one is caught by the checks that it names."""

from __future__ import annotations

from typing import Any

import pytest

from catalogue import core, judged, mutants, rights, violated
from nnx_conformance import check
from nnx_conformance.core import contracts
from nnx_reference import Implementation

CONTRACT = "split-merge"
#: Compiling is slow: a few cases of few calls show what there is to show.
FEW = 4
#: The same case gives the same again in one process; only another one shows that it depends on what ran before.
NEED_A_PROCESS = {"steps_of_one_length_share_the_first_x"}
#: One right implementation of each form, and the mutants of the pitfalls that the contract is about.
QUICK_RIGHTS = {"merges_after_the_loop"}
QUICK_MUTANTS = {
    "nothing_is_compiled",
    "casts_to_the_type_of_the_state",  # what a compiled call returns must be looked into on edge cases, too
}


def slow_but(quick: set[str], found: list[Implementation]) -> list[object]:
    """The implementations, all but some of them marked as slow."""
    marks = [() if one.name in quick else (pytest.mark.slow,) for one in found]
    return [pytest.param(one, id=one.name, marks=mark) for one, mark in zip(found, marks, strict=True)]


@pytest.mark.medium
@pytest.mark.parametrize("right", slow_but(QUICK_RIGHTS, rights(CONTRACT)))
def test_a_right_implementation_conforms(right: Implementation) -> None:
    report = judged(right, FEW, core(CONTRACT))

    assert report.verdict == "conforms"
    assert violated(report) <= set(right.advice)
    results = [result for result in report.checks if result.level == "MUST"]
    assert [result.id for result in results if result.status != "held"] == []


@pytest.mark.medium
@pytest.mark.parametrize(
    "mutant", slow_but(QUICK_MUTANTS, [found for found in mutants(CONTRACT) if found.name not in NEED_A_PROCESS])
)
def test_a_mutant_is_caught_by_the_checks_that_it_names(mutant: Implementation) -> None:
    report = judged(mutant, FEW)
    if not set(mutant.catches) <= violated(report):
        report = judged(mutant, 3 * FEW)

    assert set(mutant.catches) <= violated(report)


@pytest.mark.slow
@pytest.mark.parametrize(
    "mutant", [found for found in mutants(CONTRACT) if found.name in NEED_A_PROCESS], ids=lambda found: found.name
)
def test_a_mutant_that_outlives_its_run_is_caught_in_a_process_of_its_own(mutant: Implementation) -> None:
    report = check(str(mutant.path), contract=CONTRACT, max_examples=36, shrink=False, checks=core(CONTRACT))

    assert set(mutant.catches) <= violated(report)


def test_every_check_has_a_mutant_that_it_catches_on_the_installed_flax() -> None:
    caught = {check for mutant in mutants(CONTRACT) for check in mutant.catches}
    every = {check.id for check in contracts.get(CONTRACT).checks}

    assert {"state-threaded", "runs-in-jax-jit", "no-retrace", "one-trace"} <= every
    assert every - caught <= {"wrapper-kept", "current-access"}  # neither shows before Flax 0.12


@pytest.mark.slow
def test_a_state_that_is_not_merged_back_is_told_with_its_cause() -> None:
    (mutant,) = (found for found in mutants(CONTRACT) if found.name == "never_merges_back")
    (finding,) = judged(mutant, FEW).findings

    assert finding.check == "state-threaded"
    assert finding.what in (
        "result[0] is 0 after n_calls=1; without compilation it is right",
        "the steps took `count` from 0 to 1, and result[0] is 0",
    )


@pytest.mark.slow
def test_compiling_in_the_loop_is_told_with_the_number_of_compilations() -> None:
    (mutant,) = (found for found in mutants(CONTRACT) if found.name == "step_number_is_static")
    (finding,) = judged(mutant, FEW).findings

    assert finding.check == "no-retrace"
    assert finding.what.endswith(" times") and "calls with equal shapes were compiled" in finding.what


@pytest.mark.slow
def test_compilation_that_the_candidate_turned_off_is_told_as_such() -> None:
    (mutant,) = (found for found in mutants(CONTRACT) if found.name == "compilation_is_turned_off")
    (finding,) = (found for found in judged(mutant, FEW).findings if found.level == "MUST")

    assert finding.check == "runs-in-jax-jit"
    assert finding.cause == "`jax.disable_jit` is in force, so `jax.jit` compiles nothing"
    assert finding.remedy == "Take `jax.disable_jit` out."


def test_a_checks_words_are_those_of_its_own_exercise() -> None:
    contract = contracts.get(CONTRACT)

    assert "nnx.merge(graphdef, state)" in contract.check("result-reads-state").right
    assert contract.check("count-equals-calls").requirement == "`result[0]` equals `int(n_calls)`, exactly."


LINEN = """
import jax
import jax.numpy as jnp
from flax import linen as nn


class Counter(nn.Module):
    @nn.compact
    def __call__(self, x):
        count = self.variable("counts", "count", lambda: jnp.array(0.0))
        if not self.is_initializing():
            count.value = count.value + 1.0
        return x


def functional_count(seed, x, n_calls):
    model = Counter()
    variables = model.init(jax.random.key(int(seed)), x)
    for _ in range(int(n_calls)):
        last_x, variables = model.apply(variables, x, mutable=["counts"])
    return jnp.array([variables["counts"]["count"], last_x.sum()])
"""


@pytest.mark.slow
@pytest.mark.parametrize("contract", ["split-merge", "mutability"])
@pytest.mark.slow
def test_a_module_of_another_framework_is_told_as_such(contract: str) -> None:
    namespace: dict[str, Any] = {}
    exec(LINEN, namespace)

    function = namespace["functional_count"]
    report = check(function, contract=contract, max_examples=2, shrink=False, checks=("counts-in-variable",))

    (finding,) = report.findings
    assert finding.what == "the call created a flax.linen.Module, and this contract is about Flax NNX"


@pytest.mark.medium
def test_a_model_that_is_updated_too_early_is_not_told_as_right_without_compilation() -> None:
    (mutant,) = (found for found in mutants(CONTRACT) if found.name == "updates_the_model_before_the_step")
    (found,) = judged(mutant, FEW).findings

    assert found.what == "the steps took `count` from 0 to 1, and result[0] is 0"
    assert found.cause == "the result reads the model from before the split: nothing merges the last state back"
