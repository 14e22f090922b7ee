"""Types that Hypothesis resolves by itself, and states of a given module."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.vendor.pretty import pretty

from nnx_conformance import asserts
from nnx_strategies import rngs, states

QUICK = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
typed = pytest.mark.skipif(importlib.util.find_spec("jaxtyping") is None, reason="jaxtyping is not installed")


def sample(strategy: st.SearchStrategy[Any], size: int = 60) -> list[Any]:
    drawn = []

    @seed(0)
    @settings(QUICK, max_examples=size, phases=[Phase.generate])
    @given(strategy)
    def collect(value: Any) -> None:
        drawn.append(value)

    collect()
    return drawn


def run_python(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_hypothesis_imports_no_jax_and_none_of_the_strategies(tmp_path: Path) -> None:
    code = (
        "import sys, hypothesis; from hypothesis import strategies as st; st.from_type(int).validate();"
        "print([name for name in ('jax', 'flax', 'numpy', 'nnx_strategies', 'nnx_conformance') if name in sys.modules],"
        " '_nnx_strategies_hypothesis' in sys.modules)"
    )
    assert run_python(code, tmp_path) == "[] True"


@pytest.mark.medium
@pytest.mark.parametrize("first", ["import hypothesis, jax", "import jax, hypothesis", "import nnx_strategies, jax"])
def test_given_resolves_an_array_without_another_import(first: str, tmp_path: Path) -> None:
    code = f"""{first}
from hypothesis import given, settings
import jax
from flax import nnx
@settings(deadline=None, max_examples=5, database=None)
@given(...)
def test(x: jax.Array, rngs: nnx.Rngs, key: jax.dtypes.prng_key, n: int):
    assert isinstance(x, jax.Array) and x.dtype == "float32"
    assert isinstance(rngs, nnx.Rngs) and isinstance(n, int)
    jax.random.normal(key, (2,)), jax.random.normal(rngs.dropout())
test()
print("ran")
"""
    assert run_python(code, tmp_path) == "ran"


def test_the_table_of_hypothesis_that_this_rests_on_is_there() -> None:
    from hypothesis.strategies._internal import types

    assert callable(types._global_extra_lookup["jax"])
    assert "numpy" in types._global_extra_lookup


def test_what_users_register_goes_first() -> None:
    from hypothesis.strategies._internal import types

    st.register_type_strategy(jax.Array, st.just(jnp.array(7.0)))
    try:
        assert sample(st.from_type(jax.Array), 3)[0] == 7.0
    finally:
        types._global_type_lookup.pop(jax.Array)
        st.from_type.__clear_cache()  # type: ignore[attr-defined]


def test_other_types_resolve_as_before() -> None:
    class Mine:
        def __init__(self, n: int) -> None:
            self.n = n

    assert isinstance(sample(st.from_type(Mine), 3)[0].n, int)
    assert isinstance(sample(st.from_type(list[int]), 3)[0], list)
    assert any(value is None for value in sample(st.from_type(jax.Array | None)))  # type: ignore[arg-type]


def test_rngs_give_other_keys_each_time_and_shrink_to_the_seed_0() -> None:
    drawn = sample(rngs())
    keys = {tuple(np.asarray(jax.random.key_data(one.default())).tolist()) for one in drawn}
    assert len(keys) > 30
    smallest: Any = find(rngs(), lambda _: True, settings=QUICK)
    asserts.assert_state_equal(smallest, nnx.Rngs(0))
    assert pretty(smallest) == "nnx.Rngs(0)"
    smallest.dropout()
    assert pretty(smallest) == "nnx.Rngs(0) after 1 keys"


@typed
def test_annotations_of_jaxtyping() -> None:
    from jaxtyping import Array, Bool, Complex, Float, Float8e4m3fn, Int, Key, PRNGKeyArray, Shaped, UInt8  # type: ignore[import-not-found,unused-ignore]

    def draws(annotation: Any, size: int = 30) -> list[Any]:
        return sample(st.from_type(annotation), size)

    assert {x.shape for x in draws(Float[Array, "2 3"])} == {(2, 3)}
    assert {str(x.dtype) for x in draws(Float[Array, ""])} >= {"float32", "bfloat16"}
    assert {str(x.dtype) for x in draws(Int[Array, "n"])} <= {"int32", "int8", "int16"}
    assert {str(x.dtype) for x in draws(Bool[Array, "n"])} == {"bool"}
    assert {str(x.dtype) for x in draws(UInt8[Array, "_"])} == {"uint8"}
    assert {str(x.dtype) for x in draws(Complex[Array, "3"])} == {"complex64"}
    assert {str(x.dtype) for x in draws(Float8e4m3fn[Array, "3"])} == {"float8_e4m3fn"}
    assert {x.ndim for x in draws(Shaped[Array, "..."], 60)} == {0, 1, 2}
    assert all(isinstance(x, np.ndarray) for x in draws(Float[np.ndarray, "n"]))
    assert {x.shape for x in draws(Key[Array, "2"], 5)} == {(2,)}
    assert all(x.shape in ((), (2,), (4,)) for x in draws(PRNGKeyArray))
    assert 1 in {x.shape[0] for x in draws(Float[Array, "#n"])}


@typed
def test_a_name_is_one_size_in_a_test_case() -> None:
    from jaxtyping import Array, Float

    seen = set()

    @settings(QUICK, max_examples=30)
    @given(
        *map(st.from_type, (Float[Array, "n 3"], Float[Array, "n+1 2*n"], Float[Array, "*r n"], Float[Array, "m=4 *r"]))
    )
    def test(x: Any, y: Any, z: Any, w: Any) -> None:
        n = x.shape[0]
        assert y.shape == (n + 1, 2 * n) and z.shape[-1] == n and w.shape == (4, *z.shape[:-1])
        seen.add(n)

    test()
    assert len(seen) > 3


@typed
def test_dimensions_that_cannot_be_computed() -> None:
    from jaxtyping import Array, Float

    with pytest.raises(InvalidArgument) as caught:
        sample(st.from_type(Float[Array, "{self.n}"]), 1)
    assert str(caught.value) == (
        "Expected dimensions that are numbers, names or computed from names but got dim='{self.n}' (type=str). Pass a "
        "strategy for this argument, such as arrays(shape=(3,))."
    )


# --- states of a module -----------------------------------------------------------------------------------------------


class Model(nnx.Module):
    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.norm = nnx.BatchNorm(3, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.small = nnx.Variable(jnp.zeros(2, jnp.float8_e4m3fn))
        self.half = nnx.Variable(jnp.zeros((2, 2), jnp.bfloat16))
        self.nibble = nnx.Variable(jnp.zeros(3).astype("int4"))
        self.wave = nnx.Variable(jnp.zeros(2, jnp.complex64))
        self.mask = nnx.Variable(jnp.zeros(4, bool))
        self.host = nnx.Variable(np.zeros(2, np.int64))
        self.step = nnx.Variable(0)
        self.shared = self.half

    def __call__(self, x: Any) -> Any:
        return self.dropout(self.norm(x))


def contents(state: Any) -> list[Any]:
    return jax.tree.leaves(state)


def test_states_have_the_structure_of_the_module_and_other_contents() -> None:
    model = Model()
    before = asserts.snapshot(model)
    drawn = sample(states(model), 20)
    wanted = nnx.state(Model())
    for state in drawn:
        assert jax.tree.structure(state) == jax.tree.structure(wanted)  # type: ignore[operator]
        for one, other in zip(contents(state), contents(wanted), strict=True):
            assert type(one) is type(other) and np.shape(one) == np.shape(other)
            assert getattr(one, "dtype", None) == getattr(other, "dtype", None)
    asserts.assert_state_untouched(before, model)
    means = {np.asarray(asserts.snapshot(s).leaves[("norm", "mean")].value).tobytes() for s in drawn}
    assert len(means) > 5


def test_a_module_goes_on_from_a_drawn_state() -> None:
    model = Model()

    @settings(QUICK, max_examples=10)
    @given(states(model), st.sampled_from(["update", "merge"]))
    def test(state: Any, way: str) -> None:
        if way == "merge":
            module = nnx.merge(nnx.split(model)[0], state)
        else:
            module = Model()
            nnx.update(module, state)
        asserts.assert_state_equal(module, state)
        module(jnp.ones((2, 3)))

    test()


def test_a_part_of_the_state_and_chosen_leaves() -> None:
    model = Model()

    def positive(path: str, value: Any) -> Any:
        return st.just(jnp.full(value.shape, 2.0)) if path == "norm.var" else None

    for state in sample(states(model, nnx.BatchStat, choose=positive), 5):
        leaves = asserts.snapshot(state).leaves
        assert set(leaves) == {("norm", "mean"), ("norm", "var")}
        assert (leaves[("norm", "var")].value == 2.0).all()
    pair = sample(states(model, nnx.BatchStat, ...), 2)[0]
    assert isinstance(pair, tuple) and len(pair) == 2


def test_states_shrink_to_zeros() -> None:
    smallest: Any = find(states(Model(), nnx.BatchStat), lambda _: True, settings=QUICK)
    assert all((np.asarray(leaf) == 0).all() for leaf in contents(smallest))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: states(3), "Expected an nnx.Module but got module=3 (type=int). Pass the module itself."),
        (
            lambda: states(nnx.Rngs(0), nnx.Param),
            f"Expected filters that a Variable passes but got filters=({nnx.Param!r},) (type=tuple). Leave them out.",
        ),
        (
            lambda: states(Model(), nnx.BatchStat, choose=lambda path, value: 0.0),  # type: ignore[arg-type,return-value]
            "Expected a Hypothesis strategy but got choose('norm.mean', ...)=0.0 (type=float). Return a strategy, such "
            "as st.just(value), or None.",
        ),
    ],
)
def test_misuse_of_states(make: Any, message: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        make()
    assert str(caught.value) == message
