"""How cases of this contract are drawn: the core domain, and the parts of the edge domain."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from nnx_conformance import case as cases
from nnx_conformance.case import Argument, Case
from nnx_conformance.contract import CORE, Domain, Part
from nnx_conformance.literals import Literals
from nnx_conformance.mined import Elements, Whole, mined
from nnx_strategies import call_counts, host_arrays, seeds, shapes

#: Each new shape and, for some candidates, each new number of calls costs a compilation.
LONGEST, MOST_CALLS = 9, 16
#: Larger shapes, of numbers where loops over blocks end, one less and one more: one case in so many has one of them.
LARGE, RARE = ((15, 63), (16, 64), (17, 65)), 10
#: The shape of the edge domain.
SMALL = (3, 2)
#: With each of these shapes, the ends of seeds and calls meet: one case of each such meeting for so many that the user
#: asks for, and more with the small one, which costs no further compilation.
SEEDS, CALLS, SHARE, SMALL_SHARE = (0.0, 2.0**32 - 1), (1.0, float(MOST_CALLS)), 200, 50


def _case(domain: str, seed: Any, xs: np.ndarray, n_calls: Any) -> Case:
    return Case(domain, (_scalar("seed", seed), cases.jax("xs", xs), _scalar("n_calls", n_calls)))


def _scalar(name: str, value: Any) -> Argument:
    return value if isinstance(value, Argument) else cases.python(name, value)


def _build(domain: str, xs: SearchStrategy[np.ndarray], **options: Any) -> SearchStrategy[Case]:
    drawn = {"seed": seeds(), "n_calls": call_counts(max_value=MOST_CALLS), **options}
    return st.builds(_case, st.just(domain), xs=xs, **drawn)


def core(run_seed: int) -> tuple[Part, ...]:
    """Float32 arrays of 1 to 9 lanes and features, a few of up to 17 and 65, values to 1e6; 1 to 16 calls."""
    sides = shapes(min_dims=2, max_dims=2, max_side=LONGEST, pool_seed=run_seed)
    large = st.sampled_from(LARGE)
    shape = st.integers(1, RARE).flatmap(lambda drawn: large if drawn == RARE else sides)
    met = product((SMALL, *LARGE), SEEDS, CALLS)
    return (Part(_build(CORE, host_arrays(shape=shape))), *(_corner(*ends) for ends in met))


def _corner(shape: tuple[int, int], seed: float, n_calls: float) -> Part:
    xs = host_arrays(shape=shape)
    return Part(
        _build(CORE, xs, seed=st.just(seed), n_calls=st.just(n_calls)),
        share=SMALL_SHARE if shape == SMALL else SHARE,
        least=0,
    )


def led_to(found: Literals) -> Iterator[Case]:
    """Where the numbers of a candidate's source lead: to a seed, an element or a count. Every side is drawn often."""
    base = _case(CORE, 3.0, np.asarray([[1.0, -2.5], [4.0, 0.5]], np.float32), 2.0)
    return mined(found, base, {"seed": Whole(0, 2**32 - 1), "xs": Elements(1e6), "n_calls": Whole(1, MOST_CALLS)})


def _parts(domain: str, run_seed: int) -> tuple[Part, ...]:
    few = host_arrays(shape=SMALL)
    match domain:
        case "zero-calls":
            return (Part(_build(domain, few, n_calls=st.just(0.0)), 2),)
        case "many-calls":
            return (Part(_build(domain, few, n_calls=st.just(200.0)), 1),)
        case "other-dtypes":
            kinds = (np.float16, np.int32)
            few_calls = call_counts(max_value=4)
            return tuple(
                Part(_build(domain, host_arrays(shape=SMALL, dtype=kind), n_calls=few_calls), 1) for kind in kinds
            )
        case "scalar-types":
            whole = call_counts(max_value=4, kind="int").map(lambda value: cases.numpy("n_calls", np.int64(value)))
            return (Part(_build(domain, few, n_calls=whole), 2),)
        case _:
            raise AssertionError(domain)


EDGES = ("zero-calls", "many-calls", "other-dtypes", "scalar-types")
DOMAINS = (Domain(CORE, core, led_to), *(Domain(name, partial(_parts, name)) for name in EDGES))
