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
from nnx_conformance.core.search.components import Array, Components, Real, Whole
from nnx_conformance.core.search.domain import Domain, Part
from nnx_strategies import host_arrays, seeds, shapes

#: Momenta in [0, 1): those that people use, some that float32 holds exactly, some that it rounds, and any others.
MOMENTA = st.sampled_from((0.0, 0.5, 0.9, 0.99, 0.1, 0.25, 0.875, 0.999)) | st.floats(0.0, 0.9990234375, width=32)
#: With these momenta, a step still shows after hundreds of others; with smaller ones, only the last few steps do.
LONG_MEMORIES = (0.99, 0.999)
LONGEST = 10
#: Shapes with sides of 3, 4 and 5, around a block of 4. Each is combined with the ends of seeds and momenta: one case
#: of each combination for every `SHARE` cases that the user requested.
BLOCKS, SEEDS, ENDS, SHARE = ((3, 5, 3), (5, 3, 5), (4, 4, 3)), (0.0, 2.0**32 - 1), (0.0, 0.999), 200


def _case(domain: str, seed: Any, batches: np.ndarray, momentum: Any) -> Case:
    return Case(
        domain, (cases.number("seed", seed), cases.numpy("batches", batches), cases.number("momentum", momentum))
    )


def _build(domain: str, batches: SearchStrategy[np.ndarray], **options: Any) -> SearchStrategy[Case]:
    drawn = {"seed": seeds(), "momentum": MOMENTA, **options}
    return st.builds(_case, st.just(domain), batches=batches, **drawn)


def core(run_seed: int) -> tuple[Part, ...]:
    """Float32 batches of 1 to 10 steps, rows and features, values to 1e6; momentum in [0, 1)."""
    sides = shapes(min_dims=3, max_dims=3, max_side=LONGEST, max_size=1000, pool_seed=run_seed)
    corners = (
        _build(CORE, host_arrays(shape=shape), seed=st.just(seed), momentum=st.just(momentum))
        for shape, seed, momentum in product(BLOCKS, SEEDS, ENDS)
    )
    return (
        Part(_build(CORE, host_arrays(shape=sides))),
        *(Part(corner, share=SHARE, least=0) for corner in corners),
    )


#: The parts of a case, for a search.
COMPONENTS = Components(
    _case(CORE, 3.0, np.asarray([[[1.0], [-2.5]], [[4.0], [0.5]]], np.float32), 0.75),
    {"seed": Whole(0, 2**32 - 1), "momentum": Real(0.0, 1.0), "batches": Array(((1, LONGEST),) * 3, 1e6)},
)


def _with_nan(batches: np.ndarray) -> np.ndarray:
    batches = batches.copy()
    batches[1, 0, 1] = np.nan
    return batches


def _edge(name: str, budget: int, *batches: SearchStrategy[np.ndarray], **options: SearchStrategy[Any]) -> Domain:
    """`budget` cases of each of these kinds of batches, otherwise as in the core domain."""
    return Domain(name, lambda _: tuple(Part(_build(name, kind, **options), budget) for kind in batches))


def _scalars(kind: Any) -> Part:
    seed = seeds(max_value=2**24, kind="int").map(lambda value: cases.numpy("seed", np.int64(value)))
    momentum = st.sampled_from((0.0, 0.5, 0.875)).map(lambda value: cases.numpy("momentum", kind(value)))
    return Part(_build("scalar-types", host_arrays(shape=(2, 3, 2)), seed=seed, momentum=momentum), 2)


#: Elements of batches; positive ones where zeros in all steps would hide a fault.
POSITIVE, ORDINARY = st.floats(1, 100, width=32), st.floats(-100, 100, width=32)
DOMAINS = (
    Domain(CORE, core, COMPONENTS),
    _edge("no-steps", 2, host_arrays(shape=(0, 2, 3))),
    _edge("many-steps", 2, host_arrays(shape=(300, 2, 3), elements=POSITIVE), momentum=st.sampled_from(LONG_MEMORIES)),
    _edge("nan-batch", 3, host_arrays(shape=(3, 2, 2), elements=ORDINARY).map(_with_nan)),
    _edge("other-dtypes", 2, *(host_arrays(shape=(3, 4, 2), dtype=kind) for kind in (np.float16, np.int32))),
    Domain("scalar-types", lambda _: (_scalars(np.float32), _scalars(np.float64))),
)
