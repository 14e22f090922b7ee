"""The domains of this contract: the core domain, and the parts of the edge domain."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from nnx_conformance.core import case as cases
from nnx_conformance.core.case import Case
from nnx_conformance.core.contract import CORE
from nnx_conformance.core.search.components import Array, Components, Whole
from nnx_conformance.core.search.domain import Domain, Part
from nnx_strategies import call_counts, host_arrays, seeds, shapes

#: Few, because each new shape and, for some candidates, each new number of calls costs a compilation.
LONGEST, MOST_CALLS = 9, 16
#: Shapes just below, at and above blocks of 16 and 64; one case in `RARE` has one of them.
LARGE, RARE = ((15, 63), (16, 64), (17, 65)), 10
#: The shape of the edge domain.
SMALL = (3, 2)
#: Each of these shapes is combined with the ends of seeds and calls: one case of each combination for every `SHARE`
#: cases that the user requested, and more with the small shape, which costs no further compilation.
SEEDS, CALLS, SHARE, SMALL_SHARE = (0.0, 2.0**32 - 1), (1.0, float(MOST_CALLS)), 200, 50


def _case(domain: str, seed: Any, xs: np.ndarray, n_calls: Any) -> Case:
    number = cases.numpy if isinstance(n_calls, np.generic) else cases.python
    return Case(domain, (cases.python("seed", seed), cases.jax("xs", xs), number("n_calls", n_calls)))


def _build(domain: str, xs: SearchStrategy[np.ndarray], **options: Any) -> SearchStrategy[Case]:
    drawn = {"seed": seeds(), "n_calls": call_counts(max_value=MOST_CALLS), **options}
    return st.builds(_case, st.just(domain), xs=xs, **drawn)


def core(run_seed: int) -> tuple[Part, ...]:
    """Float32 arrays of 1 to 9 lanes and features, a few of up to 17 and 65, values to 1e6; 1 to 16 calls."""
    sides = shapes(min_dims=2, max_dims=2, max_side=LONGEST, pool_seed=run_seed)
    large = st.sampled_from(LARGE)
    shape = st.integers(1, RARE).flatmap(lambda drawn: large if drawn == RARE else sides)
    corners = (_corner(*ends) for ends in product((SMALL, *LARGE), SEEDS, CALLS))
    return (Part(_build(CORE, host_arrays(shape=shape))), *corners)


def _corner(shape: tuple[int, int], seed: float, n_calls: float) -> Part:
    drawn = _build(CORE, host_arrays(shape=shape), seed=st.just(seed), n_calls=st.just(n_calls))
    return Part(drawn, share=SMALL_SHARE if shape == SMALL else SHARE, least=0)


#: The parts of a case, for a search.
COMPONENTS = Components(
    _case(CORE, 3.0, np.asarray([[1.0, -2.5], [4.0, 0.5]], np.float32), 2.0),
    {"seed": Whole(0, 2**32 - 1), "n_calls": Whole(1, MOST_CALLS), "xs": Array(((1, 17), (1, 65)), 1e6)},
)


def _edge(name: str, budget: int, n_calls: SearchStrategy[Any], *dtypes: type[np.generic]) -> Domain:
    drawn = (_build(name, host_arrays(shape=SMALL, dtype=dtype), n_calls=n_calls) for dtype in dtypes or (np.float32,))
    parts = tuple(Part(strategy, budget) for strategy in drawn)
    return Domain(name, lambda _: parts)


DOMAINS = (
    Domain(CORE, core, COMPONENTS),
    _edge("zero-calls", 2, st.just(0.0)),
    _edge("many-calls", 1, st.just(200.0)),
    _edge("other-dtypes", 1, call_counts(max_value=4), np.float16, np.int32),
    _edge("scalar-types", 2, call_counts(max_value=4, kind="int").map(np.int64)),
)
