"""Arrays of any rank, keys, pytrees and operations: what is drawn, what it shrinks to, and what misuse says."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from nnx_strategies import arrays, host_arrays, host_vectors, keys, operation_sequences, pytrees, shapes

RUNS = range(5)
QUICK = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
WEIGHTS = {"call": 4, "jit": 2, "save": 1, "eval": 1}


def sample(strategy: st.SearchStrategy[Any], *, run: int, size: int = 200) -> list[Any]:
    """`size` draws, the same ones for the same `run`."""
    drawn = []

    @seed(run)
    @settings(QUICK, max_examples=size, phases=[Phase.generate])
    @given(strategy)
    def collect(value: Any) -> None:
        drawn.append(value)

    collect()
    return drawn


def smallest(strategy: st.SearchStrategy[Any], condition: Callable[[Any], bool]) -> Any:
    """What Hypothesis shrinks to under `condition`."""
    quick = settings(QUICK, max_examples=2000)
    return find(strategy, condition, settings=quick, random=random.Random(0))


SHAPE_PROPERTIES: dict[str, Callable[[tuple[int, ...]], bool]] = {
    "scalar": lambda shape: shape == (),
    "one element": lambda shape: shape == (1,),
    "matrix": lambda shape: len(shape) == 2,
    "three sides": lambda shape: len(shape) == 3,
    "all different": lambda shape: len(shape) == 3 and len(set(shape)) == 3,
    "all alike": lambda shape: len(shape) > 1 and shape[0] > 1 and len(set(shape)) == 1,
    "a side of 1 among others": lambda shape: 1 in shape and max(shape) > 1,
    "longest side": lambda shape: 16 in shape,
}


@pytest.mark.slow
@pytest.mark.parametrize("pool_seed", [0, 1, 2, -7])
def test_shapes_cover_every_kind_with_few_different_ones(pool_seed: int) -> None:
    for run in RUNS:
        drawn = sample(shapes(pool_seed=pool_seed), run=run)
        assert [name for name, holds in SHAPE_PROPERTIES.items() if not any(map(holds, drawn))] == []
        assert 12 <= len(set(drawn)) <= 26
        assert {len(shape) for shape in drawn} == {0, 1, 2, 3}


def test_shapes_depend_on_the_pool_seed_and_nothing_else() -> None:
    assert sample(shapes(pool_seed=3), run=1) == sample(shapes(pool_seed=3), run=1)
    assert set(sample(shapes(pool_seed=3), run=1)) != set(sample(shapes(pool_seed=4), run=1))


@settings(QUICK, max_examples=60, derandomize=True)
@given(st.data(), st.integers(0, 3), st.integers(0, 3), st.integers(0, 5), st.integers(0, 90))
def test_shapes_stay_within_their_bounds(data: st.DataObject, dims: int, more: int, side: int, width: int) -> None:
    most = max(side ** (dims + more), 500)
    shape = data.draw(shapes(min_dims=dims, max_dims=dims + more, min_side=side, max_side=side + width, max_size=most))
    assert dims <= len(shape) <= dims + more
    assert all(side <= one <= side + width for one in shape)
    assert np.prod(shape) <= most


@pytest.mark.parametrize(
    ("strategy", "condition", "expected"),
    [
        (shapes(), lambda shape: True, ()),
        (shapes(min_dims=2), lambda shape: True, (1, 1)),
        (shapes(), lambda shape: len(shape) == 3, (1, 1, 1)),
        (shapes(), lambda shape: len(shape) > 1 and shape[1] > 5, (1, 6)),
        (shapes(min_side=0), lambda shape: 0 in shape, (0,)),
    ],
)
def test_shapes_shrink_to_the_simplest(strategy: Any, condition: Callable[[Any], bool], expected: object) -> None:
    assert smallest(strategy, condition) == expected


def test_arrays_of_any_rank_hold_what_vectors_hold() -> None:
    drawn = sample(host_arrays(), run=0)
    assert {x.ndim for x in drawn} == {0, 1, 2, 3}
    assert len({x.tobytes() for x in drawn}) > 150
    assert all(x.dtype == np.float32 and np.isfinite(x).all() and x.flags.writeable for x in drawn)
    assert any((x == 1e6).any() for x in drawn) and any((x < 0).any() for x in drawn)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint32", "bfloat16", "float16"])
def test_arrays_have_exactly_their_dtype_and_shape(dtype: str) -> None:
    for x in sample(arrays(shape=(2, 3), dtype=dtype), run=0, size=20):
        assert isinstance(x, jax.Array) and (x.shape, x.dtype.name) == ((2, 3), dtype)


def test_shapes_of_arrays_can_be_drawn_and_empty() -> None:
    drawn = sample(host_arrays(shape=st.sampled_from([(), (0, 3), (2, 2)])), run=0, size=60)
    assert {x.shape for x in drawn} == {(), (0, 3), (2, 2)}


def test_specials_come_in_arrays_of_any_rank() -> None:
    drawn = sample(host_arrays(allow_nan=True), run=0)
    assert sum(bool(np.isnan(x).any()) for x in drawn) >= 15


def test_arrays_of_any_rank_shrink_to_readable_ones() -> None:
    assert smallest(host_arrays(), lambda x: True).tolist() == 0.0
    found = smallest(host_arrays(shape=(2, 2)), lambda x: len(set(x.ravel().tolist())) > 1)
    assert sorted(found.ravel().tolist()) == [0.0, 0.0, 0.0, 1.0]


def is_typed(key: Any) -> bool:
    return bool(jnp.issubdtype(key.dtype, jax.dtypes.prng_key))


def words(key: Any) -> tuple[int, ...]:
    return tuple(np.asarray(jax.random.key_data(key) if is_typed(key) else key).tolist())


def test_typed_keys_are_what_jax_random_key_makes() -> None:
    drawn = sample(keys(), run=0)
    assert all(is_typed(key) and key.shape == () for key in drawn)
    assert words(smallest(keys(), lambda key: True)) == words(jax.random.key(0)) == (0, 0)
    jax.random.normal(drawn[0], (2,))


def test_raw_keys_are_what_jax_random_prng_key_makes() -> None:
    drawn = sample(keys(style="raw"), run=0)
    assert all(key.dtype == jnp.uint32 and key.shape == (2,) for key in drawn)
    assert words(smallest(keys(style="raw"), lambda key: True)) == words(jax.random.PRNGKey(0))


def test_either_style_draws_both_and_shrinks_to_the_typed_one() -> None:
    assert {is_typed(key) for key in sample(keys(style="either"), run=0, size=30)} == {True, False}
    assert is_typed(smallest(keys(style="either"), lambda key: True))
    assert not is_typed(smallest(keys(style="either"), lambda key: not is_typed(key)))


def test_keys_come_from_seeds_and_are_derived_from_others() -> None:
    drawn = [words(key) for key in sample(keys(), run=0)]
    assert len(set(drawn)) > 100
    assert sum(first == 0 for first, _ in drawn) > 40
    assert sum(first != 0 for first, _ in drawn) > 40


def test_keys_of_other_generators_have_their_length() -> None:
    (key,) = sample(keys(style="raw", impl="rbg"), run=0, size=1)
    assert key.shape == (4,)


def structure(tree: Any) -> Any:
    if isinstance(tree, dict):
        return tuple((key, structure(value)) for key, value in tree.items())
    return [structure(value) for value in tree] if isinstance(tree, list) else "leaf"


def depth(tree: Any) -> int:
    inside = list(tree.values()) if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return 0 if inside is None else 1 + max(map(depth, inside), default=0)


def count(tree: Any) -> int:
    return repr(structure(tree)).count("leaf")


@pytest.mark.slow
@pytest.mark.parametrize("pool_seed", [0, 1, 2])
def test_pytrees_are_nested_with_few_structures(pool_seed: int) -> None:
    for run in RUNS:
        drawn = sample(pytrees(leaves=st.integers(0, 9), pool_seed=pool_seed), run=run)
        assert 8 <= len({repr(structure(tree)) for tree in drawn}) <= 24
        assert {depth(tree) for tree in drawn} == {1, 2, 3}
        assert {count(tree) for tree in drawn} >= {1, 2, 3} and max(map(count, drawn)) <= 6
        kinds = [type(value) for tree in drawn for value in tree.values()]
        assert {dict, list, int} == set(kinds)


def test_pytrees_hold_jax_arrays_by_default() -> None:
    leaves = [leaf for tree in sample(pytrees(), run=0, size=30) for leaf in jax.tree.leaves(tree)]
    assert all(isinstance(leaf, jax.Array) for leaf in leaves)
    assert {leaf.ndim for leaf in leaves} == {0, 1, 2}


@settings(QUICK, max_examples=60, derandomize=True)
@given(st.data(), st.integers(0, 12), st.integers(0, 30), st.integers(1, 5))
def test_pytrees_stay_within_their_bounds(data: st.DataObject, least: int, more: int, deepest: int) -> None:
    options = {"min_leaves": least, "max_leaves": least + more, "max_depth": deepest}
    tree = data.draw(pytrees(leaves=st.just(0), **options))
    assert isinstance(tree, dict)
    assert least <= count(tree) <= least + more and depth(tree) <= deepest


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda tree: True, {"a": 0}),
        (lambda tree: len(tree) == 2, {"a": 0, "b": 0}),
        (lambda tree: any(isinstance(value, list) for value in tree.values()), {"a": [0]}),
        (lambda tree: any(isinstance(value, dict) for value in tree.values()), {"a": {"a": 0}}),
        (lambda tree: "7" in repr(tree), {"a": 7}),
    ],
)
def test_pytrees_shrink_to_a_dict_with_a_leaf(condition: Callable[[Any], bool], expected: Any) -> None:
    assert smallest(pytrees(leaves=st.integers(0, 9)), condition) == expected


def test_more_leaves_than_letters_have_names_of_their_own() -> None:
    (tree,) = sample(pytrees(leaves=st.just(0), min_leaves=30, max_leaves=30, max_depth=1), run=0, size=1)
    assert len(tree) == 30 and list(tree)[24:28] == ["y", "z", "a1", "b1"]


@pytest.mark.medium
def test_operations_come_as_often_as_their_weights_say() -> None:
    drawn = [name for run in RUNS for sequence in sample(operation_sequences(WEIGHTS), run=run) for name in sequence]
    shares = {name: times / len(drawn) for name, times in Counter(drawn).items()}
    assert 0.35 < shares["call"] < 0.6
    assert 0.15 < shares["jit"] < 0.35
    assert all(0.05 < shares[name] < 0.25 for name in ("save", "eval"))


@pytest.mark.parametrize("run", RUNS)
def test_sequences_are_varied_in_length_and_in_what_they_leave_out(run: int) -> None:
    drawn = sample(operation_sequences(WEIGHTS), run=run)
    assert {0, 1, 2, 20} <= {len(sequence) for sequence in drawn}
    assert len(set(drawn)) > 120
    longer = [sequence for sequence in drawn if len(sequence) >= 10]
    assert sum(len(set(sequence)) == 4 for sequence in longer) > 10
    assert sum("call" not in sequence for sequence in longer) > 5  # one in 10**5 if none were left out


def test_every_pair_of_operations_comes() -> None:
    drawn = sample(operation_sequences(tuple("abcd")), run=0)
    assert len({pair for sequence in drawn for pair in itertools.pairwise(sequence)}) == 16


def follows(*names: str) -> Callable[[tuple[str, ...]], bool]:
    """Whether these come in this order, others between them or not."""

    def holds(sequence: tuple[str, ...]) -> bool:
        rest = iter(sequence)
        return all(name in rest for name in names)

    return holds


@pytest.mark.parametrize("names", [(), ("eval",), ("save", "jit"), ("eval", "save", "call"), ("save",) * 4])
def test_sequences_shrink_to_what_matters(names: tuple[str, ...]) -> None:
    assert smallest(operation_sequences(WEIGHTS), follows(*names)) == names


def test_sequences_shrink_to_the_first_operation() -> None:
    assert smallest(operation_sequences(WEIGHTS), lambda sequence: len(sequence) >= 3) == ("call",) * 3
    assert smallest(operation_sequences(["save", "call"], min_size=2), lambda sequence: True) == ("save", "save")


@settings(QUICK, max_examples=60, derandomize=True)
@given(st.data(), st.integers(0, 9), st.integers(0, 30), st.integers(1, 12))
def test_sequences_stay_within_their_bounds(data: st.DataObject, low: int, width: int, names: int) -> None:
    sequence = data.draw(operation_sequences(list(range(names)), min_size=low, max_size=low + width))
    assert isinstance(sequence, tuple) and low <= len(sequence) <= low + width
    assert set(sequence) <= set(range(names))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: shapes(min_dims=2, max_dims=1),
            "Expected an int >= min_dims=2 but got max_dims=1 (type=int). "
            "Pass max_dims=2 or more, or a smaller min_dims.",
        ),
        (
            lambda: shapes(min_side=-1),
            "Expected an int >= 0 but got min_side=-1 (type=int). Pass min_side=0.",
        ),
        (
            lambda: shapes(min_side=9, max_dims=2, max_size=80),
            "Expected an int >= 81, the elements of max_dims=2 sides of min_side=9, but got max_size=80 (type=int). "
            "Pass max_size=81 or more, or a smaller max_dims or min_side.",
        ),
        (
            lambda: arrays(shape=3),  # type: ignore[arg-type]
            "Expected a tuple of ints >= 0, or a strategy of such, but got shape=3 (type=int). Pass shape=(3,).",
        ),
        (
            lambda: host_arrays(shape=(2, -1)),
            "Expected a tuple of ints >= 0, or a strategy of such, but got shape=(2, -1) (type=tuple). "
            "Pass a shape, such as shape=(2, 3).",
        ),
        (
            lambda: sample(host_arrays(shape=st.just("ab")), run=0),  # type: ignore[arg-type]
            "Expected a tuple of ints >= 0, or a strategy of such, but got shape='ab' (type=str). "
            "Pass a shape, such as shape=(2, 3).",
        ),
        (
            lambda: arrays(dtype="int32", allow_infinity=True),
            "Expected no such option for dtype int32 but got allow_infinity=True (type=bool). "
            "Leave allow_infinity out, or pass dtype=np.float32.",
        ),
        (
            lambda: keys(style="new"),  # type: ignore[arg-type]
            "Expected one of 'typed', 'raw', 'either' but got style='new' (type=str). Pass style='typed'.",
        ),
        (
            lambda: keys(impl="philox"),  # type: ignore[arg-type]
            "Expected one of 'threefry2x32', 'rbg', 'unsafe_rbg' but got impl='philox' (type=str). "
            "Pass impl='threefry2x32'.",
        ),
        (
            lambda: pytrees(leaves=3),  # type: ignore[arg-type]
            "Expected a Hypothesis strategy but got leaves=3 (type=int). Pass a strategy, such as leaves=arrays().",
        ),
        (
            lambda: pytrees(max_depth=0),
            "Expected an int >= 1 but got max_depth=0 (type=int). Pass max_depth=1.",
        ),
        (
            lambda: operation_sequences([]),
            "Expected one operation or more, all different, but got operations=[] (type=list). "
            "Name each operation once.",
        ),
        (
            lambda: operation_sequences(("call", "call")),
            "Expected one operation or more, all different, but got operations=('call', 'call') (type=tuple). "
            "Name each operation once.",
        ),
        (
            lambda: operation_sequences("call"),
            "Expected a sequence or a mapping but got operations='call' (type=str). "
            "Pass their names, such as operations=['call', 'save'], or a mapping from names to weights.",
        ),
        (
            lambda: operation_sequences({"call": 0}),
            "Expected an int >= 1 but got operations['call']=0 (type=int). "
            "Pass a weight of 1 or more, or leave the operation out.",
        ),
        (
            lambda: operation_sequences({"call": 1.5}),  # type: ignore[dict-item]
            "Expected an int but got operations['call']=1.5 (type=float). Pass operations['call']=1.",
        ),
        (
            lambda: operation_sequences(["call"], min_size=3, max_size=2),
            "Expected an int >= min_size=3 but got max_size=2 (type=int). "
            "Pass max_size=3 or more, or a smaller min_size.",
        ),
    ],
)
def test_misuse_says_what_was_expected_and_how_to_fix_it(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        make()
    assert str(caught.value) == message


def test_arrays_of_one_rank_have_the_contents_of_vectors() -> None:
    of_any_rank = sample(host_arrays(shape=(40,)), run=0)
    one_dimensional = sample(host_vectors(min_size=40, max_size=40), run=0)
    for holds in (lambda x: (np.diff(x) >= 0).all() and x.any(), lambda x: (x < 0).all(), lambda x: not x.any()):
        assert any(map(holds, of_any_rank)) and any(map(holds, one_dimensional))
