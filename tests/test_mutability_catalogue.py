"""Every right implementation conforms, and every mutant is caught by the checks that it names."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from catalogue import MORE_EXAMPLES, judged, mutants, rights, sampled, violated
from nnx_conformance import check
from nnx_reference import Implementation


def named(implementation: Implementation) -> str:
    """What a test of it is called."""
    return implementation.name


#: State that only another case with the same seed brings to light: told apart in a process where nothing ran before.
NEED_A_PROCESS = {"caches_results_by_seed", "remembers_sums_by_shape"}


@pytest.mark.parametrize("right", sampled(rights(), 24, named))
def test_a_right_implementation_conforms(right: Implementation) -> None:
    report = judged(right)

    assert report.verdict == "conforms"
    assert violated(report) <= set(right.advice)


@pytest.mark.parametrize("right", sampled(rights(), 24, named))
def test_every_must_check_was_really_judged_on_a_right_implementation(right: Implementation) -> None:
    results = [result for result in judged(right).checks if result.level == "MUST"]

    assert len(results) == 13
    assert all(result.status == "held" and result.evaluated > 0 for result in results)


@pytest.mark.parametrize(
    "mutant", sampled([found for found in mutants() if found.name not in NEED_A_PROCESS], 24, named)
)
def test_a_mutant_is_caught_by_the_checks_that_it_names(mutant: Implementation) -> None:
    report = judged(mutant)
    if not set(mutant.catches) <= violated(report):
        report = judged(mutant, MORE_EXAMPLES)  # wrong on rare cases only

    assert set(mutant.catches) <= violated(report)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", [found for found in mutants() if found.name in NEED_A_PROCESS], ids=named)
def test_a_mutant_that_remembers_other_cases_is_caught_in_a_process_of_its_own(mutant: Implementation) -> None:
    report = check(str(mutant.path), max_examples=MORE_EXAMPLES, shrink=False)

    assert set(mutant.catches) <= violated(report)


@pytest.mark.medium
@pytest.mark.parametrize("examples", [7, 8, 9])  # of three cases that follow each other one is looked into
def test_a_thousand_compiled_calls_are_not_run_without_compilation(examples: int) -> None:
    compiled: list[tuple[int, bool]] = []

    class Counter(nnx.Module):
        def __init__(self) -> None:
            self.count = nnx.Variable(jnp.array(0.0))

        def __call__(self, x: jax.Array) -> jax.Array:
            self.count.value = self.count.value + 1.0
            return x

    def mutability_increment_count(seed: float, x: jax.Array, n_calls: float) -> jax.Array:
        compiled.append((int(n_calls), not jax.config.jax_disable_jit))  # type: ignore[attr-defined]
        model = Counter()
        x = nnx.jit(lambda model, x: model(x))(model, x)
        return jnp.array([n_calls, x.sum()]) if model.count.value else x

    check(mutability_increment_count, max_examples=examples, checks=("count-equals-calls", "many-calls"), shrink=False)

    assert {how for calls, how in compiled if calls == 1000} == {True}
    assert {how for calls, how in compiled if calls < 1000} == {True, False}
