"""Mutants that are made: what is changed, that nothing else is, and which conditions are rare."""

from __future__ import annotations

import ast
import difflib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnx_reference
from nnx_conformance.audit.catalogue import reference
from nnx_conformance.audit.conditions import conditions, holds
from nnx_conformance.audit.mutators.rare import rare
from nnx_conformance.audit.mutators.syntactic import OPERATORS, syntactic
from nnx_conformance.audit.reach import core_cases, rarest, reaches
from nnx_conformance.audit.specimens import Specimen
from nnx_conformance.cli.group import cli
from nnx_conformance.core import case as cases
from nnx_conformance.core import contracts
from nnx_conformance.core.case import Case

MUTABILITY = contracts.get("mutability")
SOURCE = (Path(nnx_reference.__file__).parent / "solution.py").read_text()
MADE = {one.name: one for one in syntactic(SOURCE, "mutability_increment_count")}
CHANGES = {
    "drop-wrapper-1": "line 17: `nnx.Variable(jnp.array(0.0))` becomes `jnp.array(0.0)`",
    "drop-wrapper-2": (
        "line 21: `self.count.copy_from(nnx.Variable(self.count + 1.0))` becomes `self.count = self.count + 1.0`"
    ),
    "change-type-1": "line 17: `nnx.Variable(jnp.array(0.0))` becomes `nnx.Param(jnp.array(0.0))`",
    "hoist-to-class-1": "line 12: `self.count = nnx.Variable(jnp.array(0.0))` moves into the body of `Counter`",
    "hoist-to-module-1": "line 36: `model = Counter(nnx.Rngs(int(seed)))` is made once, and kept by the module",
    "shift-loop-1": "line 38: `range(int(n_calls))` becomes `range(int(n_calls) - 1)`",
    "stop-loop-3": "line 38: `range(int(n_calls))` becomes `range(min(int(n_calls), 8))`",
    "drop-call-1": "line 16: `rngs.params()` becomes `pass`",
    "double-call-3": (
        "line 21: `self.count.copy_from(nnx.Variable(self.count + 1.0))` becomes "
        "`self.count.copy_from(nnx.Variable(self.count + 1.0)); self.count.copy_from(nnx.Variable...`"
    ),
    "double-call-5": "line 39: `last_x = model(x)` becomes `last_x = model(x); last_x = model(x)`",
    "swap-results-1": "line 40: `[model.count, last_x.sum()]` becomes `[last_x.sum(), model.count]`",
    "answer-from-arguments-5": "line 40: `model.count` becomes `n_calls`",
    "cast-4": 'line 22: `x` becomes `(x).astype("float16")`',
    "compile-call-1": "line 19: `__call__` is decorated with `@jax.jit`",
    "change-number-3": "line 21: `self.count + 1.0` becomes `self.count - 1.0`",
}


@pytest.mark.parametrize(("name", "told"), CHANGES.items(), ids=list(CHANGES))
def test_a_made_mutant_tells_what_was_changed(name: str, told: str) -> None:
    assert MADE[name].story == told


def test_every_operator_finds_a_place_in_the_reference() -> None:
    assert {name.rpartition("-")[0] for name in MADE} == set(OPERATORS)


def test_another_type_is_used_wherever_a_variable_is_made_for_the_attribute() -> None:
    source = MADE["change-type-1"].source.decode()

    assert "self.count = nnx.Param(jnp.array(0.0))" in source
    assert "self.count.copy_from(nnx.Param(self.count + 1.0))" in source


@pytest.mark.parametrize("one", MADE.values(), ids=lambda one: one.name)
def test_a_made_mutant_is_the_reference_but_for_one_place(one: Specimen) -> None:
    ast.parse(one.source)
    lines = difflib.ndiff(SOURCE.splitlines(), one.source.decode().splitlines())
    changed = [line for line in lines if line.startswith(("+ ", "- "))]

    assert one.kind == "made" and 1 <= len(changed) <= 4


def test_no_two_are_the_same_code_and_none_is_the_reference() -> None:
    codes = [ast.dump(ast.parse(one.source)) for one in MADE.values()]

    assert len({*codes, ast.dump(ast.parse(SOURCE))}) == len(codes) + 1


@pytest.mark.medium
def test_without_libcst_the_exact_line_that_installs_it_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("nnx_conformance.audit.mutators.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "libcst", None)

    with pytest.raises(SystemExit) as left:
        cli(["audit", "mutability"], prog_name="nnx-conformance")

    assert left.value.code == 2
    assert capsys.readouterr().err == (
        "nnx-conformance: Mutants are made with LibCST, which is not installed. "
        "Install it: pip install 'nnx-conformance[audit]'. Or judge only the hand-written ones, with --by-hand.\n"
    )


@pytest.fixture(scope="module")
def drawn() -> list[Case]:
    return list(core_cases(MUTABILITY, 200, 0))


def test_conditions_split_what_is_drawn(drawn: list[Case]) -> None:
    found = conditions(drawn)

    assert len({one.name for one in found}) == len(found) > 100
    for one in found:
        held = [holds(one.compiled(), case) for case in drawn]
        assert not all(held), one.name


def test_conditions_are_made_of_any_contract_s_arguments() -> None:
    def made(momentum: float, batches: np.ndarray) -> Case:
        return Case("core", (cases.python("momentum", momentum), cases.jax("batches", batches)))

    random = np.random.default_rng(0)
    some = [made(random.random(), random.normal(size=(steps, 4, 3))) for steps in (1, 2, 5)]
    names = [one.name for one in conditions(some)]

    assert {"momentum-upper-half", "batches-length-1", "batches-sum-negative"} <= set(names)
    assert not [name for name in names if "axis-1" in name]  # of one size in every case
    assert [holds(one.compiled(), case) for one in conditions(some) for case in some]


def test_no_case_means_no_condition() -> None:
    assert conditions([]) == ()


def test_a_rare_mutant_is_right_but_where_its_condition_holds(tmp_path: Path, drawn: list[Case]) -> None:
    source = "def answer(seed, x):\n    return x.sum()\n"
    (condition,) = [one for one in conditions(drawn) if one.name == "x-sum-negative"]
    one, *from_runs = rare(source, "answer", ("seed", "x"), [condition])
    loaded: dict[str, Any] = {}
    exec(one.source, loaded)

    assert loaded["answer"](0.0, np.array([1.0, 2.0])) == 3.0
    assert loaded["answer"](0.0, np.array([1.0, -2.0])) == -1.0  # twice -1, and one
    assert loaded["answer"](0.0, np.array([-3.0])) == -5.0
    assert loaded["answer"](0.0, np.array([True])) == 1  # a dtype that the condition does not know
    assert from_runs[0].story == "wrong once the process has run it 1 times"


def test_what_is_no_function_is_not_wrapped() -> None:
    assert list(rare("specimen = {}\n", "specimen", (), [])) == []


def test_the_reference_is_found_without_importing_it() -> None:
    own = reference(MUTABILITY)

    assert (own.source, own.entry) == (SOURCE, "mutability_increment_count")


def test_the_rarest_are_those_that_fewest_cases_meet(drawn: list[Case]) -> None:
    found = rarest(conditions(drawn), drawn, "boundary", 5)
    often = [sum(holds(one.compiled(), case) for case in drawn) for one in found]

    assert often == sorted(often) and len(found) == 5 and often[-1] < 20


@pytest.mark.slow
def test_ten_drawings_meet_what_a_generator_that_knows_its_boundaries_should_meet(drawn: list[Case]) -> None:
    found = reaches(MUTABILITY, conditions(drawn), 200, 10)
    missed = [reach for reach in found if reach.family != "literal" and reach.met.hits < 10]

    assert len(missed) <= 3 and all(reach.met.hits == 9 for reach in missed), missed
