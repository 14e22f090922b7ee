"""The module laws over modules that others wrote: each wrong one is caught, and no right one is accused."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import flax
import jax
import pytest

import subjects
from catalogue import sampled, violated
from nnx_conformance import Report, check_module
from nnx_reference import Implementation, mutants, rights

#: Two programs of the machine, besides those of each law: what a law names shows in its own.
EXAMPLES = 16
RIGHTS = [one for one in rights("module-laws") if one.applies_to(flax.__version__)]
MUTANTS = [one for one in mutants("module-laws") if one.applies_to(flax.__version__)]
#: What these do shows only in another process, which a module that was loaded here cannot have.
NEED_A_PROCESS = ("names_its_variables_after_the_run", "keeps_its_mask_from_a_trace")
#: A class of a file that was not imported by name cannot be pickled, and several devices are in no process but another.
NEED_A_NAME = ("pickles", "sharded-agrees", "sharding-stable", "shard-map-agrees")
OTHERS = subjects.cases(flax.__version__)


@pytest.fixture(autouse=True)
def compiled_code_is_forgotten() -> Iterator[None]:
    """Many modules in one process: on Flax 0.8.5 that crashes, and elsewhere it takes memory."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a subject warns of is for its report
        yield
    jax.clear_caches()


def named(one: Implementation | subjects.Case) -> str:
    """What a test of it is called."""
    return one.name.replace(" ", "-")


def told(report: Report) -> list[str]:
    return [f"{found.check}: {found.what}" for found in report.findings if found.level == "MUST"]


@pytest.mark.parametrize("mutant", sampled(MUTANTS, 80, named))
def test_a_wrong_module_is_caught_by_the_laws_that_it_names(mutant: Implementation) -> None:
    by_target = mutant.name in NEED_A_PROCESS or set(NEED_A_NAME) & set(mutant.catches)
    found = f"{mutant.path}::subject" if by_target else mutant.load()
    report = check_module(found, max_examples=EXAMPLES, shrink=False, checks=mutant.catches)

    assert set(mutant.catches) <= violated(report)


@pytest.mark.medium
@pytest.mark.parametrize("right", sampled(RIGHTS, 200, named))
def test_a_right_module_conforms(right: Implementation) -> None:
    report = check_module(right.load(), max_examples=EXAMPLES, shrink=False)

    assert told(report) == []
    assert report.verdict == "conforms"
    assert violated(report) <= set(right.advice)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in OTHERS if not case.refused], ids=named)
def test_what_flax_ships_or_tests_gets_the_verdict_that_it_must(case: subjects.Case) -> None:
    report = check_module(dict(case.subject), max_examples=EXAMPLES, shrink=False)

    assert set(case.breaks) <= violated(report)
    if not case.breaks:
        assert [line for line in told(report) if line.partition(":")[0] not in case.excused] == []


@pytest.mark.parametrize("case", sampled([case for case in OTHERS if case.refused], 6, named))
def test_what_flax_refuses_is_a_finding_with_its_error(case: subjects.Case) -> None:
    (found,) = check_module(dict(case.subject), max_examples=EXAMPLES, shrink=False).findings

    assert found.check == "calls-return"
    assert case.refused in found.what
    assert found.cause and found.line


@pytest.mark.medium
def test_a_child_at_two_places_is_not_accused_where_tree_mode_refuses_it() -> None:
    (shared,) = [one for one in RIGHTS if one.name == "shared_submodule"]
    report = check_module(shared.load(), max_examples=8, shrink=False, checks=("clone-independent", "calls-return"))

    assert told(report) == []
