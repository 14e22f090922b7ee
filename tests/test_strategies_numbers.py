"""Seeds, call counts and lengths: what is drawn, what it costs, what it shrinks to, and what misuse says."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

import nnx_strategies
from nnx_strategies import call_counts, lengths, seeds

RUNS = range(5)
QUICK = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


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


def is_power_of_two(number: float) -> bool:
    return number > 0 and int(number) & (int(number) - 1) == 0


SEED_PROPERTIES: dict[str, Callable[[float], bool]] = {
    "zero": lambda s: s == 0,
    "one": lambda s: s == 1,
    "odd": lambda s: s % 2 == 1,
    "even": lambda s: s > 0 and s % 2 == 0,
    "small": lambda s: 2 <= s <= 16,
    "power of two": lambda s: s > 4 and is_power_of_two(s),
    "below a power of two": lambda s: s > 8 and is_power_of_two(s + 1),
    "above a power of two": lambda s: s > 8 and is_power_of_two(s - 1),
    "beyond int16": lambda s: s >= 2**16,
    "no float32": lambda s: float(np.float32(s)) != s,
    "beyond int32": lambda s: s >= 2**31,
    "nothing special": lambda s: s > 1000 and not any(is_power_of_two(s + d) for d in (-1, 0, 1)),
}


@pytest.mark.parametrize("run", RUNS)
def test_seeds_cover_their_range_within_200_draws(run: int) -> None:
    drawn = sample(seeds(), run=run)
    assert [name for name, holds in SEED_PROPERTIES.items() if not any(map(holds, drawn))] == []


def test_seeds_find_every_boundary() -> None:
    boundaries = {0, 1, 2**16, 2**24 + 1, 2**31 - 1, 2**31, 2**32 - 1}
    drawn = {value for run in RUNS for value in sample(seeds(), run=run)}
    assert boundaries <= drawn


COUNT_PROPERTIES: dict[str, Callable[[float], bool]] = {
    "least": lambda n: n == 1,
    "two": lambda n: n == 2,
    "three": lambda n: n == 3,
    "odd": lambda n: n > 3 and n % 2 == 1,
    "even": lambda n: n > 3 and n % 2 == 0,
    "power of two": lambda n: n > 4 and is_power_of_two(n),
    "beside a power of two": lambda n: n > 8 and (is_power_of_two(n - 1) or is_power_of_two(n + 1)),
    "middle": lambda n: 20 <= n <= 60,
    "most": lambda n: n == 64,
}


@pytest.mark.parametrize("run", RUNS)
def test_call_counts_cover_their_range_and_stay_cheap(run: int) -> None:
    drawn = sample(call_counts(), run=run)
    assert [name for name, holds in COUNT_PROPERTIES.items() if not any(map(holds, drawn))] == []
    assert statistics.mean(drawn) < 16
    assert 3 <= statistics.median(drawn) <= 6


@pytest.mark.slow
def test_every_call_count_is_possible() -> None:
    assert set(sample(call_counts(), run=0, size=3000)) == set(map(float, range(1, 65)))


@pytest.mark.slow
@pytest.mark.parametrize("pool_seed", [0, 1, 2, 12345, -7])
def test_200_lengths_hold_few_different_ones(pool_seed: int) -> None:
    for run in RUNS:
        assert 12 <= len(set(sample(lengths(pool_seed=pool_seed), run=run))) <= 26


LENGTH_PROPERTIES: dict[str, Callable[[int], bool]] = {
    "one": lambda n: n == 1,
    "two": lambda n: n == 2,
    "three": lambda n: n == 3,
    "odd": lambda n: n > 3 and n % 2 == 1,
    "even": lambda n: n > 3 and n % 2 == 0,
    "small power of two": lambda n: n in (8, 16),
    "large power of two": lambda n: n in (128, 256),
    "below a power of two": lambda n: n > 4 and is_power_of_two(n + 1),
    "above a power of two": lambda n: n > 4 and is_power_of_two(n - 1),
    "round": lambda n: n in (10, 12, 20, 24, 30, 60, 100),
    "no multiple of 2, 3": lambda n: n > 4 and n % 2 != 0 and n % 3 != 0,
    "long": lambda n: n >= 900,
    "longest": lambda n: n == 1024,
}


@pytest.mark.parametrize("pool_seed", [0, 1, 2, 12345])
@pytest.mark.parametrize("run", RUNS)
def test_lengths_cover_every_kind_of_length(run: int, pool_seed: int) -> None:
    drawn = sample(lengths(pool_seed=pool_seed), run=run)
    assert [name for name, holds in LENGTH_PROPERTIES.items() if not any(map(holds, drawn))] == []


def test_lengths_depend_on_the_pool_seed_and_nothing_else() -> None:
    assert sample(lengths(pool_seed=3), run=1) == sample(lengths(pool_seed=3), run=1)
    assert set(sample(lengths(pool_seed=3), run=1)) != set(sample(lengths(pool_seed=4), run=1))


def test_any_length_is_possible() -> None:
    pools = {frozenset(sample(lengths(), run=run)) for run in RUNS}
    assert len(frozenset.union(*pools)) > len(frozenset.intersection(*pools)) + 5


@settings(QUICK, max_examples=60, derandomize=True)
@given(st.data(), st.integers(-(2**40), 2**40), st.integers(0, 2**34))
def test_numbers_stay_within_their_bounds(data: st.DataObject, low: int, width: int) -> None:
    assert low <= int(data.draw(seeds(min_value=low, max_value=low + width))) <= low + width
    low, width = abs(low) % 2000, width % 2000
    counts = call_counts(min_value=low, max_value=low + width, kind="int")
    assert low <= int(data.draw(counts)) <= low + width
    assert low <= data.draw(lengths(min_size=low, max_size=low + width)) <= low + width
    assert data.draw(lengths(min_size=low, max_size=low)) == low


@pytest.mark.parametrize(
    ("strategy", "condition", "expected"),
    [
        (seeds(), lambda s: True, 0.0),
        (seeds(), lambda s: s > 1000, 1001.0),
        (seeds(), lambda s: s == 2**32 - 1, 2.0**32 - 1),
        (seeds(min_value=5), lambda s: True, 5.0),
        (seeds(min_value=-50, max_value=-3), lambda s: True, -3.0),
        (seeds(min_value=-100, max_value=100), lambda s: s < 0, -1.0),
        (call_counts(), lambda n: True, 1.0),
        (call_counts(), lambda n: n >= 10, 10.0),
        (call_counts(), lambda n: n % 2 == 0, 2.0),
        (call_counts(min_value=0), lambda n: True, 0.0),
        (lengths(), lambda n: True, 1),
        (lengths(), lambda n: n >= 5, 5),
        (lengths(), lambda n: n >= 200, 200),
        (lengths(min_size=7), lambda n: True, 7),
    ],
)
def test_numbers_shrink_to_the_simplest(
    strategy: st.SearchStrategy[Any], condition: Callable[[Any], bool], expected: float
) -> None:
    assert smallest(strategy, condition) == expected


@pytest.mark.parametrize("strategy", [seeds, call_counts])
@pytest.mark.parametrize(("kind", "type_"), [("float", float), ("int", int)])
def test_python_kinds_have_exactly_their_type(strategy: Any, kind: str, type_: type) -> None:
    assert {type(value) for value in sample(strategy(kind=kind), run=0, size=50)} == {type_}


@pytest.mark.parametrize("strategy", [seeds, call_counts])
def test_numpy_kinds_vary_their_dtype_and_are_whole(strategy: Any) -> None:
    drawn = sample(strategy(kind="numpy"), run=0)
    assert all(isinstance(value, np.generic) and int(value) == value for value in drawn)
    dtypes = {value.dtype.name for value in drawn}
    assert dtypes == {"float64", "float32", "int64", "int32", "uint32", "uint64"}


@pytest.mark.slow
def test_jax_seeds_are_scalars_on_the_device_and_exact() -> None:
    drawn = sample(seeds(kind="jax"), run=0)
    assert all(isinstance(value, jax.Array) and value.shape == () for value in drawn)
    assert {value.dtype.name for value in drawn} == {"float32", "int32", "uint32"}
    exact = {int(value) for run in RUNS for value in sample(seeds(kind="jax"), run=run)}
    assert {0, 2**24 + 1, 2**31, 2**32 - 1} <= exact


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: seeds(min_value=3, max_value=2),
            "Expected an int >= min_value=3 but got max_value=2 (type=int). "
            "Pass max_value=3 or more, or a smaller min_value.",
        ),
        (
            lambda: seeds(max_value=9.5),  # type: ignore[arg-type]
            "Expected an int but got max_value=9.5 (type=float). Pass max_value=9.",
        ),
        (
            lambda: seeds(min_value="a"),  # type: ignore[arg-type]
            "Expected an int but got min_value='a' (type=str). Pass min_value as a whole number, such as min_value=1.",
        ),
        (
            lambda: seeds(min_value=True),
            "Expected an int but got min_value=True (type=bool). Pass min_value=1.",
        ),
        (
            lambda: seeds(kind="double"),  # type: ignore[arg-type]
            "Expected one of 'float', 'int', 'numpy', 'jax' but got kind='double' (type=str). Pass kind='float'.",
        ),
        (
            lambda: seeds(max_value=2**32, kind="jax"),
            "Expected a bound in [-2147483648, 4294967295], which kind='jax' holds exactly, "
            "but got max_value=4294967296 (type=int). Pass max_value=4294967295, or kind='int'.",
        ),
        (
            lambda: call_counts(min_value=-1),
            "Expected an int >= 0 but got min_value=-1 (type=int). Pass min_value=0.",
        ),
        (
            lambda: lengths(min_size=-2),
            "Expected an int >= 0 but got min_size=-2 (type=int). Pass min_size=0.",
        ),
        (
            lambda: lengths(min_size=5, max_size=4),
            "Expected an int >= min_size=5 but got max_size=4 (type=int). "
            "Pass max_size=5 or more, or a smaller min_size.",
        ),
        (
            lambda: lengths(pool_seed=1.0),  # type: ignore[arg-type]
            "Expected an int but got pool_seed=1.0 (type=float). Pass pool_seed=1.",
        ),
    ],
)
def test_misuse_says_what_was_expected_and_how_to_fix_it(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.slow
def test_importing_loads_neither_jax_nor_the_kit() -> None:
    code = (
        "import sys, nnx_strategies as ns; "
        "ns.seeds(), ns.call_counts(), ns.lengths(), ns.host_vectors(), ns.shapes(), ns.host_arrays(), ns.keys(); "
        "ns.operation_sequences('ab'.split()), ns.pytrees(leaves=ns.host_arrays()); "
        "print([n for n in ('jax', 'flax', 'nnx_conformance') if n in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@pytest.mark.slow
def test_making_strategies_initialises_no_backend() -> None:
    code = (
        "import nnx_strategies as ns; ns.cases(), ns.vectors(), ns.seeds(kind='jax'), ns.arrays(), ns.pytrees(); "
        "from jax._src import xla_bridge; print(dict(xla_bridge._backends))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "{}\n"


def test_the_public_names_are_these() -> None:
    assert sorted(nnx_strategies.__all__) == [
        *("Case", "arrays", "call_counts", "cases", "corners", "host_arrays", "host_vectors", "keys", "lengths"),
        *("operation_sequences", "pytrees", "rngs", "seeds", "shapes", "states", "vectors"),
    ]
    assert all(hasattr(nnx_strategies, name) for name in nnx_strategies.__all__)
