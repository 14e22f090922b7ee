"""The domains of the counter's contracts: the core domain, and the parts of the edge domain."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from nnx_conformance.core import case as cases
from nnx_conformance.core.case import Argument, Case
from nnx_conformance.core.contract import CORE
from nnx_conformance.core.search.components import Array, Components, Whole
from nnx_conformance.core.search.domain import Domain, Part
from nnx_strategies import call_counts, corners, host_vectors, seeds

#: The longest `x` of most edge cases: each new shape costs compilations, and the core domain varies shapes already.
FEW = 3
#: The longest `x` of the core domain.
LONG = 1024


def _case(domain: str, seed: Any, x: np.ndarray, n_calls: Any) -> Case:
    return Case(domain, (cases.number("seed", seed), cases.jax("x", x), cases.number("n_calls", n_calls)))


def core(run_seed: int) -> tuple[Part, ...]:
    """Seeds 0 to 2**32 - 1, float32 vectors of any length from 1 and values to 1e6, 1 to 64 calls."""
    drawn = corners(
        (seeds(), seeds(ends=True)),
        (call_counts(), call_counts(ends=True)),
        # Last, because its number of draws varies, and the shrinker can keep only the draws before them.
        (host_vectors(pool_seed=run_seed), host_vectors(pool_seed=run_seed, ends=True)),
    )
    return (Part(drawn.map(_core_case)),)


def _core_case(drawn: tuple[Any, ...]) -> Case:
    seed, n_calls, x = drawn
    return _case(CORE, seed, x, n_calls)


#: The parts of a case, for a search.
COMPONENTS = Components(
    _case(CORE, 3.0, np.asarray((1.0, -2.5), np.float32), 2.0),
    {"seed": Whole(0, 2**32 - 1), "n_calls": Whole(1, 64), "x": Array(((1, LONG),), 1e6)},
)


def _edge(domain: str, x: SearchStrategy[np.ndarray], budget: int, **options: Any) -> Part:
    """Cases with this `x` and few calls, otherwise as in the core domain."""
    drawn = {"seed": seeds(), "x": x, "n_calls": call_counts(max_value=4), **options}
    return Part(st.builds(_case, st.just(domain), **drawn), budget)


def _few(**options: Any) -> SearchStrategy[np.ndarray]:
    return host_vectors(**{"max_size": FEW, **options})


def _holding(*special: float) -> SearchStrategy[np.ndarray]:
    """Up to three elements, the special ones among them."""
    return st.builds(_join, _few(max_size=FEW - len(special), min_size=0), st.permutations(special), st.booleans())


def _join(ordinary: np.ndarray, special: list[float], first: bool) -> np.ndarray:
    parts = [np.asarray(special, np.float32), ordinary]
    return np.concatenate(parts if first else parts[::-1])


def _parts(domain: str, run_seed: int) -> tuple[Part, ...]:
    import ml_dtypes

    nan, inf, subnormal = float("nan"), float("inf"), 2.0**-140
    ones = st.floats(min_value=0.5, max_value=1e6, width=32)
    edge = partial(_edge, domain)
    match domain:
        case "zero-calls":
            return (edge(_few(), 4, n_calls=st.just(0.0)),)
        case "many-calls":
            return (edge(_few(), 1, n_calls=st.just(1000.0)),)
        case "empty-x":
            return (edge(host_vectors(min_size=0, max_size=0), 2),)
        case "non-finite-x":
            specials = ((nan,), (inf,), (-inf,), (inf, -inf), (nan, inf), (-0.0,), (subnormal,))
            return tuple(edge(_holding(*special), 2) for special in specials)
        case "other-dtypes":
            kinds = (np.float16, ml_dtypes.bfloat16, np.int32, np.bool_)
            return tuple(edge(host_vectors(min_size=2, max_size=2, dtype=kind), 3) for kind in kinds)
        case "long-x":
            return (edge(host_vectors(min_size=100_000, max_size=100_000, elements=ones), 2),)
        case "any-seed":
            below, beyond = seeds(min_value=-(2**31), max_value=-1), seeds(min_value=2**32, max_value=2**53)
            return (edge(_few(), 3, seed=below), edge(_few(), 3, seed=beyond))
        case "scalar-types":
            return tuple(_with_scalars(edge, make) for make in SCALARS)
        case _:
            raise AssertionError(domain)


#: The ways to pass a whole number. Up to 2**24 each of them holds it exactly, even float32.
SCALARS: tuple[Callable[[str, int], Argument], ...] = (
    cases.python,
    lambda name, value: cases.numpy(name, np.float32(value)),
    lambda name, value: cases.numpy(name, np.float64(value)),
    lambda name, value: cases.numpy(name, np.int64(value)),
    lambda name, value: cases.jax(name, np.float32(value)),
    lambda name, value: cases.jax(name, np.int32(value)),
)


def _with_scalars(edge: Callable[..., Part], make: Callable[[str, int], Argument]) -> Part:
    seed = seeds(max_value=2**24, kind="int").map(partial(make, "seed"))
    n_calls = call_counts(max_value=8, kind="int").map(partial(make, "n_calls"))
    return edge(_few(), 2, seed=seed, n_calls=n_calls)


EDGES = (
    "zero-calls",
    "many-calls",
    "empty-x",
    "non-finite-x",
    "other-dtypes",
    "long-x",
    "any-seed",
    "scalar-types",
)

DOMAINS = (Domain(CORE, core, COMPONENTS), *(Domain(name, partial(_parts, name)) for name in EDGES))
