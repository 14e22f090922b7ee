"""The reference implementations: a well-formed catalogue, and right ones that are right."""

import ast
import contextlib
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import flax
import jax.numpy as jnp
import numpy as np
import pytest

import nnx_reference
from nnx_reference import Implementation, mutants, rights
from nnx_reference.solution import mutability_increment_count

MUST = {
    "returns-pair",
    "count-equals-calls",
    "sum-preserved",
    "counts-in-variable",
    "wrapper-kept",
    "counter-not-param",
    "one-increment-per-call",
    "output-unchanged",
    "no-traced-mutation",
    "result-reads-state",
    "result-reads-output",
    "fresh-state-per-run",
    "input-untouched",
}
SHOULD = {
    "key-consumed",
    "one-variable-named-count",
    "no-in-place-add",
    "eager-calls",
    "zero-calls",
    "many-calls",
    "empty-x",
    "non-finite-x",
    "other-dtypes",
    "long-x",
    "any-seed",
    "scalar-types",
    "quiet",
    "current-access",
}
CASES = [(0.0, [0.0], 1.0), (7.0, [0.25, -3.0, 2.5, 2.5], 3.0), (4294967295.0, [1e6, -1.5], 12.0)]
APPLICABLE_MUTANTS = [one for one in mutants() if one.applies_to(flax.__version__)]
APPLICABLE_RIGHTS = [one for one in rights() if one.applies_to(flax.__version__)]


@contextlib.contextmanager
def deprecations_ignored():
    """`.value` warns from Flax 0.12.1 on, and is the only form that older Flax has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def assert_right(function, case):
    seed, x, n_calls = case
    with deprecations_ignored():
        result = np.asarray(function(seed, jnp.array(x, dtype=jnp.float32), n_calls))
    assert result.shape == (2,)
    assert np.issubdtype(result.dtype, np.floating)
    np.testing.assert_array_equal(result, [n_calls, sum(x)])


def by_name(implementation: Implementation) -> str:
    return implementation.name


def test_names_are_unique_and_sorted():
    for implementations in (rights(), mutants()):
        names = [one.name for one in implementations]
        assert names == sorted(set(names))
    assert not {one.name for one in rights()} & {one.name for one in mutants()}


def test_every_file_is_in_the_catalogue():
    folder = Path(nnx_reference.__file__).parent / "mutability"
    assert {one.path for one in rights() + mutants()} == set(folder.rglob("*.py"))


@pytest.mark.parametrize("implementation", rights() + mutants(), ids=by_name)
def test_metadata_is_well_formed(implementation):
    tree = ast.parse(implementation.path.read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert "mutability_increment_count" in functions
    assert implementation.story.endswith(".")
    assert implementation.contract == "mutability"
    assert set(implementation.catches) <= MUST | SHOULD
    assert set(implementation.advice) <= SHOULD
    assert not (implementation.catches and implementation.advice)


def test_mutants_name_what_catches_them_and_rights_do_not():
    assert all(one.catches for one in mutants())
    assert not any(one.catches for one in rights())


def test_every_check_has_enough_mutants_on_the_installed_flax():
    catches = Counter(check for one in APPLICABLE_MUTANTS for check in one.catches)
    # Flax 0.8 deprecates nothing that a candidate could touch.
    needed = SHOULD - ({"current-access"} if flax.__version__.startswith("0.8.") else set())
    assert [check for check in sorted(MUST) if catches[check] < 3] == []
    assert [check for check in sorted(needed) if catches[check] < 1] == []


def test_no_two_implementations_are_the_same_code():
    seen: dict[str, str] = {}
    for one in rights() + mutants():
        code = "\n".join(ast.unparse(node) for node in _code(one))
        assert seen.setdefault(code, one.name) == one.name


def _code(implementation):
    """The statements other than the docstring and the metadata."""
    body = ast.parse(implementation.path.read_text(encoding="utf-8")).body[1:]
    metadata = ("CATCHES", "ADVICE", "MIN_FLAX", "BELOW_FLAX")
    return [node for node in body if not ast.unparse(node).startswith(metadata)]


@pytest.mark.parametrize("case", CASES)
def test_the_solution_is_right(case):
    assert_right(mutability_increment_count, case)


@pytest.mark.parametrize("implementation", APPLICABLE_RIGHTS, ids=by_name)
def test_right_implementations_are_right(implementation):
    function = implementation.load()
    for case in CASES:
        assert_right(function, case)


def test_each_load_has_state_of_its_own():
    (keeper,) = [one for one in mutants() if one.name == "keeps_one_model_per_process"]
    x = jnp.array([1.0, 2.0])
    with deprecations_ignored():
        first, second = keeper.load(), keeper.load()
        assert first.__module__ != second.__module__
        assert [float(first(0.0, x, 2.0)[0]), float(first(0.0, x, 2.0)[0])] == [2.0, 4.0]
        assert float(second(0.0, x, 2.0)[0]) == 2.0


@pytest.mark.parametrize(
    ("min_flax", "below_flax", "version", "applies"),
    [
        (None, None, "0.8.5", True),
        ("0.10", None, "0.8.5", False),
        ("0.10", None, "0.10.0", True),
        ("0.12.1", None, "0.12.0", False),
        ("0.12.1", None, "0.12.1", True),
        (None, "0.12.1", "0.12.1", False),
        (None, "0.12", "0.11.2", True),
        (None, "0.12", "0.12.0", False),
        ("0.10", "0.12", "0.12.0rc1", False),
    ],
)
def test_versions_bound_below_inclusively_and_above_exclusively(min_flax, below_flax, version, applies):
    one = Implementation("name", "mutability", Path(), "Story.", (), (), min_flax, below_flax, "f")
    assert one.applies_to(version) is applies


def test_an_unknown_contract_names_the_known_ones():
    with pytest.raises(ValueError) as caught:
        mutants("mutabilty")
    told, _, known = str(caught.value).partition(" Known: ")
    assert told == "Expected a contract with reference implementations but got contract='mutabilty' (type=str)."
    assert {"mutability", "split-merge"} <= set(known.rstrip(".").split(", "))


def test_a_version_that_is_none_is_refused():
    with pytest.raises(ValueError) as caught:
        mutants()[0].applies_to("newest")
    assert str(caught.value) == (
        "Expected a version such as '0.12.8' but got version='newest' (type=str). Pass flax.__version__."
    )


def test_reading_the_catalogue_imports_neither_jax_nor_the_kit():
    program = (
        "import sys, nnx_reference; nnx_reference.rights(); nnx_reference.mutants(); "
        "print({'jax', 'flax', 'nnx_conformance'} & set(sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "set()"
