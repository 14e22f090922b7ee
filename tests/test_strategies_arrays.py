"""Arrays and cases: what is drawn, what it shrinks to, and what misuse says."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from nnx_strategies import Case, call_counts, cases, host_vectors, seeds, vectors

RUNS = range(5)
QUICK = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
Array = np.ndarray[Any, Any]


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


def total(x: Array) -> float:
    return float(np.sum(x, dtype=np.float64))


ARRAY_PROPERTIES: dict[str, Callable[[Array], bool]] = {
    "zeros": lambda x: not x.any(),
    "zeros and ones": lambda x: set(x.tolist()) == {0.0, 1.0},
    "one value throughout": lambda x: len(x) > 3 and x[0] != 0 and len(set(x.tolist())) == 1,
    "another value at the very end": lambda x: len(x) > 16 and x[-1] != x[-2] and len(set(x[:-1].tolist())) == 1,
    "two values": lambda x: len(x) > 3 and len(set(x.tolist())) == 2,
    "all different": lambda x: len(x) > 50 and len(set(x.tolist())) == len(x),
    "ascending": lambda x: len(x) > 3 and x[0] < x[-1] and bool((np.diff(x) >= 0).all()),
    "descending": lambda x: len(x) > 3 and x[0] > x[-1] and bool((np.diff(x) <= 0).all()),
    "alternating": lambda x: len(x) > 3 and bool((x[1:] * x[:-1] < 0).all()),
    "sum exactly 0": lambda x: bool(x.any()) and total(x) == 0,
    "sum nearly 0": lambda x: len(x) > 2 and 0 < abs(total(x)) < 1e-6 * np.abs(x).max(),
    "negative throughout": lambda x: len(x) > 3 and bool((x < 0).all()),
    "positive throughout": lambda x: len(x) > 3 and bool((x > 0).all()),
    "small integers": lambda x: len(x) > 3 and 1 < np.abs(x).max() < 10 and (x == np.rint(x)).all(),
    "on the upper bound": lambda x: bool((x == 1e6).any()),
    "on the lower bound": lambda x: bool((x == -1e6).any()),
    "tiny": lambda x: len(x) > 3 and bool(x.any()) and np.abs(x).max() < 1e-25,
    "large next to small": lambda x: bool((np.abs(x) > 1e5).any() and ((x != 0) & (np.abs(x) < 1e-2)).any()),
    "about 1": lambda x: len(x) > 3 and 0.05 < float(np.median(np.abs(x))) < 5,
    "negative zero": lambda x: bool((np.signbit(x) & (x == 0)).any()),
    "fractions": lambda x: bool((x != np.rint(x)).any()),
}


@pytest.mark.parametrize("run", RUNS)
def test_200_arrays_cover_every_profile(run: int) -> None:
    drawn = sample(host_vectors(), run=run)
    assert [name for name, holds in ARRAY_PROPERTIES.items() if not any(map(holds, drawn))] == []


def test_default_arrays_are_finite_normal_and_bounded() -> None:
    for x in sample(host_vectors(), run=0, size=500):
        assert x.dtype == np.float32 and x.ndim == 1 and 1 <= len(x) <= 1024
        assert np.isfinite(x).all() and np.abs(x).max() <= 1e6
        assert not ((x != 0) & (np.abs(x) < np.finfo(np.float32).tiny)).any()


@pytest.mark.parametrize("run", RUNS)
def test_allowed_specials_come_often(run: int) -> None:
    strategy = host_vectors(allow_nan=True, allow_infinity=True, allow_subnormal=True)
    drawn = sample(strategy, run=run)
    subnormal = [(x != 0) & (np.abs(x) < np.finfo(np.float32).tiny) for x in drawn]
    assert sum(bool(np.isnan(x).any()) for x in drawn) >= 15
    assert sum(bool(np.isinf(x).any()) for x in drawn) >= 30
    assert sum(bool(found.any()) for found in subnormal) >= 30
    assert any(np.isposinf(x).any() and np.isneginf(x).any() for x in drawn)


OPTIONS: dict[str, dict[str, Any]] = {name: {name: True} for name in ("allow_nan", "allow_infinity", "allow_subnormal")}


@pytest.mark.parametrize("option", OPTIONS)
def test_one_special_brings_no_other(option: str) -> None:
    drawn = np.concatenate(sample(host_vectors(**OPTIONS[option]), run=0))
    subnormal = (drawn != 0) & (np.abs(drawn) < np.finfo(np.float32).tiny)
    found = {
        "allow_nan": bool(np.isnan(drawn).any()),
        "allow_infinity": bool(np.isinf(drawn).any()),
        "allow_subnormal": bool(subnormal.any()),
    }
    assert found == {name: name == option for name in found}


DTYPES: dict[str, float] = {
    "bool": 1,
    "int8": 127,
    "int16": 10_000,
    "int32": 10_000,
    "uint8": 255,
    "uint32": 10_000,
    "float16": 8188,
    "bfloat16": 999_424,
    "float32": 1e6,
}


@pytest.mark.parametrize(("dtype", "bound"), [*DTYPES.items(), ("int64", 10_000), ("float64", 1e6)])
def test_host_arrays_have_their_dtype_and_bound(dtype: str, bound: float) -> None:
    drawn = sample(host_vectors(dtype=dtype), run=0)
    assert {x.dtype.name for x in drawn} == {dtype}
    assert max(float(np.abs(x.astype(np.float64)).max()) for x in drawn) == bound
    assert all(x.flags.writeable for x in drawn)


def test_half_precision_arrays_hold_no_subnormals_unless_asked() -> None:
    def subnormal(x: Array) -> bool:
        return bool(((x != 0) & (np.abs(x) < np.finfo(np.float16).tiny)).any())

    assert not any(map(subnormal, sample(host_vectors(dtype="float16"), run=0)))
    asked = host_vectors(dtype="float16", allow_subnormal=True)
    assert sum(map(subnormal, sample(asked, run=0))) >= 30


@pytest.mark.parametrize("dtype", DTYPES)
def test_jax_arrays_have_exactly_their_dtype(dtype: str) -> None:
    drawn = sample(vectors(dtype=dtype), run=0, size=30)
    assert all(isinstance(x, jax.Array) and x.dtype.name == dtype and x.ndim == 1 for x in drawn)


def test_dtypes_of_jax_and_ml_dtypes_are_understood() -> None:
    for dtype in (jnp.float32, jnp.bfloat16, ml_dtypes.bfloat16, np.dtype("float16"), jnp.int32):
        assert sample(vectors(dtype=dtype), run=0, size=1)[0].dtype == np.dtype(dtype)


def test_jax_arrays_hold_what_the_host_arrays_hold() -> None:
    host, device = (sample(make(), run=2, size=60) for make in (host_vectors, vectors))
    for expected, x in zip(host, device, strict=True):
        np.testing.assert_array_equal(np.asarray(x), expected)


def test_arrays_are_no_near_copies_of_each_other() -> None:
    # Hypothesis copies draws between strategies of one label, unless each draw has a label of its own.
    for run in RUNS[:2]:
        drawn = sample(cases(vectors=host_vectors()), run=run)
        assert len({case.seed for case in drawn}) > 75
        assert len({(len(case.x), case.n_calls) for case in drawn}) > 100
        assert len({case.x.tobytes() for case in drawn}) > 150


def test_own_elements_are_moved_about_and_never_changed() -> None:
    drawn = sample(host_vectors(elements=st.sampled_from([3.0, 5.0, 7.0])), run=0)
    assert set(np.concatenate(drawn).tolist()) == {3.0, 5.0, 7.0}
    assert any(len(x) > 100 and len(set(x.tolist())) == 3 for x in drawn)


@settings(QUICK, max_examples=60, derandomize=True)
@given(st.data(), st.integers(0, 40), st.integers(0, 40), st.sampled_from(list(DTYPES)))
def test_sizes_stay_within_their_bounds(data: st.DataObject, low: int, width: int, dtype: str) -> None:
    x = data.draw(host_vectors(min_size=low, max_size=low + width, dtype=dtype))
    assert low <= len(x) <= low + width and x.dtype.name == dtype


def test_200_arrays_have_few_shapes() -> None:
    for run in RUNS[:2]:
        assert 12 <= len({x.shape for x in sample(host_vectors(), run=run)}) <= 26


def test_long_arrays_draw_few_elements() -> None:
    # Drawing all 1,000 would take 15 ms an array and overrun Hypothesis's choice buffer.
    calls = []

    def counted(value: int) -> float:
        calls.append(value)
        return float(value)

    drawn = sample(host_vectors(min_size=1000, elements=st.integers(0, 9).map(counted)), run=0, size=50)
    assert len(drawn) == 50 and len(calls) <= 16 * 50


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda x: True, [0.0]),
        (lambda x: total(x) < 0, [-1.0]),
        (lambda x: len(x) >= 5, [0.0] * 5),
        (lambda x: bool(x.any()), [1.0]),
        (lambda x: bool((x > 100).any()), [101.0]),
        (lambda x: len(set(x.tolist())) >= 2, [0.0, 1.0]),
        (lambda x: bool((np.diff(x) < 0).any()), [1.0, 0.0]),
        (lambda x: bool(x.any()) and total(x) == 0, [1.0, -1.0]),
        (lambda x: len(x) >= 40, [0.0] * 40),
    ],
)
def test_arrays_shrink_to_readable_ones(condition: Callable[[Array], bool], expected: list[float]) -> None:
    assert smallest(host_vectors(), condition).tolist() == expected


@pytest.mark.slow
def test_specials_shrink_to_themselves() -> None:
    assert str(smallest(host_vectors(allow_nan=True), lambda x: np.isnan(x).any())) == "[nan]"
    both = smallest(
        host_vectors(allow_infinity=True),
        lambda x: bool(np.isposinf(x).any() and np.isneginf(x).any()),
    )
    assert sorted(both.tolist()) == [-np.inf, np.inf]


def test_other_arrays_shrink_too() -> None:
    assert smallest(host_vectors(min_size=0), lambda x: True).tolist() == []
    assert smallest(host_vectors(dtype="int32"), lambda x: total(x) < 0).tolist() == [-1]
    assert smallest(host_vectors(dtype=bool), lambda x: bool(x.any())).tolist() == [True]


def test_cases_shrink_in_every_part() -> None:
    case = smallest(cases(), lambda case: True)
    assert (case.seed, case.x.tolist(), case.n_calls) == (0.0, [0.0], 1.0)
    case = smallest(
        cases(vectors=host_vectors()),
        lambda case: case.seed >= 3 and case.n_calls >= 2 and total(case.x) != 0,
    )
    assert (case.seed, case.x.tolist(), case.n_calls) == (3.0, [1.0], 2.0)


def test_a_case_unpacks_in_the_order_of_the_arguments() -> None:
    for seed_, x, n_calls in sample(cases(), run=0, size=20):
        assert type(seed_) is float and type(n_calls) is float
        assert isinstance(x, jax.Array) and x.dtype == jnp.float32


def test_parts_of_a_case_can_be_replaced() -> None:
    strategy = cases(
        seeds=seeds(min_value=-9, max_value=-1, kind="int"),
        vectors=host_vectors(min_size=0, max_size=0),
        call_counts=call_counts(min_value=0, max_value=0),
    )
    for case in sample(strategy, run=0, size=20):
        assert isinstance(case, Case)
        assert -9 <= int(case.seed) <= -1 and len(case.x) == 0 and case.n_calls == 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: host_vectors(min_size=3, max_size=2),
            "Expected an int >= min_size=3 but got max_size=2 (type=int). "
            "Pass max_size=3 or more, or a smaller min_size.",
        ),
        (
            lambda: vectors(min_size=-1),
            "Expected an int >= 0 but got min_size=-1 (type=int). Pass min_size=0.",
        ),
        (
            lambda: host_vectors(dtype="complex64"),
            "Expected bool or one of float16, bfloat16, float32, float64, int32, int8, int16, int64, uint8, "
            "uint16, uint32, uint64 but got dtype='complex64' (type=str). Pass dtype=np.float32.",
        ),
        (
            lambda: vectors(dtype="int64"),
            "Expected a dtype that JAX keeps but got dtype='int64' (type=str). "
            "Pass a 32-bit dtype, or call jax.config.update('jax_enable_x64', True) first.",
        ),
        (
            lambda: host_vectors(elements=1.0),  # type: ignore[arg-type]
            "Expected a Hypothesis strategy but got elements=1.0 (type=float). "
            "Pass a strategy, such as elements=st.floats(-1, 1).",
        ),
        (
            lambda: host_vectors(elements=st.just(1.0), allow_nan=True),
            "Expected no allow_ option beside it but got elements=just(1.0) (type=JustStrategy). "
            "Leave the option out, and have `elements` draw such numbers.",
        ),
        (
            lambda: host_vectors(dtype="int32", allow_nan=True),
            "Expected no such option for dtype int32 but got allow_nan=True (type=bool). "
            "Leave allow_nan out, or pass dtype=np.float32.",
        ),
        (
            lambda: cases(vectors=3),  # type: ignore[arg-type]
            "Expected a Hypothesis strategy but got vectors=3 (type=int). "
            "Pass a strategy, such as vectors=vectors(max_size=9).",
        ),
        (
            lambda: sample(host_vectors(dtype="int8", elements=st.just(300)), run=0),
            "Expected elements that dtype int8 holds but got element=300 (type=int). "
            "Draw elements that int8 holds, or pass another dtype.",
        ),
        (
            lambda: sample(host_vectors(elements=st.just(1e300)), run=0),
            "Expected elements that dtype float32 holds but got element=1e+300 (type=float). "
            "Draw elements that float32 holds, or pass another dtype.",
        ),
    ],
)
def test_misuse_says_what_was_expected_and_how_to_fix_it(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        make()
    assert str(caught.value) == message


def test_a_bad_dtype_or_none_is_misuse() -> None:
    bad: list[Any] = [None, "nonsense", object, "float8_e4m3fn"]
    for dtype in bad:
        with pytest.raises(InvalidArgument, match=r"Pass dtype=np\.float32\."):
            host_vectors(dtype=dtype)


@pytest.mark.slow
def test_lengths_of_arrays_follow_the_pool_seed() -> None:
    pools = [{len(x) for x in sample(host_vectors(pool_seed=p), run=0)} for p in (0, 1)]
    assert pools[0] != pools[1]
