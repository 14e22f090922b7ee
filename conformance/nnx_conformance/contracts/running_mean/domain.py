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
from nnx_conformance.mined import Elements, Real, Role, Whole, mined
from nnx_strategies import host_arrays, seeds, shapes

#: Ends of the range, momenta that people use, numbers that float32 holds exactly and such that it rounds.
MOMENTA = (0.0, 0.5, 0.9, 0.99, 0.1, 0.25, 0.875, 0.999)
#: With these, what happened hundreds of steps ago still shows; with others the last few steps are all there is.
LONG_MEMORIES = (0.99, 0.999)
LONGEST = 10
#: Sides of a block of 4, one less and one more. With each of these shapes, the ends of seeds and momenta meet:
#: one case of each such meeting for so many that the user asks for.
BLOCKS, SEEDS, ENDS, SHARE = ((3, 5, 3), (5, 3, 5), (4, 4, 3)), (0.0, 2.0**32 - 1), (0.0, 0.999), 200


def _case(domain: str, seed: Any, batches: np.ndarray, momentum: Any) -> Case:
    given = (_scalar("seed", seed), cases.numpy("batches", batches), _scalar("momentum", momentum))
    return Case(domain, given)


def _scalar(name: str, value: Any) -> Argument:
    return value if isinstance(value, Argument) else cases.python(name, value)


def momenta() -> SearchStrategy[float]:
    """Numbers in [0, 1)."""
    return st.sampled_from(MOMENTA) | st.floats(0.0, 0.9990234375, width=32)


def _build(domain: str, batches: SearchStrategy[np.ndarray], **options: Any) -> SearchStrategy[Case]:
    drawn = {"seed": seeds(), "momentum": momenta(), **options}
    return st.builds(_case, st.just(domain), batches=batches, **drawn)


def _sides(run_seed: int) -> SearchStrategy[tuple[int, ...]]:
    return shapes(min_dims=3, max_dims=3, max_side=LONGEST, max_size=1000, pool_seed=run_seed)


def core(run_seed: int) -> tuple[Part, ...]:
    """Float32 batches of 1 to 10 steps, rows and features, values to 1e6; momentum in [0, 1)."""
    met = product(BLOCKS, SEEDS, ENDS)
    return (Part(_build(CORE, host_arrays(shape=_sides(run_seed)))), *(_corner(*ends) for ends in met))


def _corner(shape: tuple[int, ...], seed: float, momentum: float) -> Part:
    batches = host_arrays(shape=shape)
    return Part(_build(CORE, batches, seed=st.just(seed), momentum=st.just(momentum)), share=SHARE, least=0)


def led_to(found: Literals) -> Iterator[Case]:
    """Where the numbers of a candidate's source lead: to a seed, a momentum or an element; each side is drawn often."""
    base = _case(CORE, 3.0, np.asarray([[[1.0], [-2.5]], [[4.0], [0.5]]], np.float32), 0.75)
    roles: dict[str, Role] = {"seed": Whole(0, 2**32 - 1), "batches": Elements(1e6), "momentum": Real(0.0, 1.0)}
    return mined(found, base, roles)


def _parts(domain: str, run_seed: int) -> tuple[Part, ...]:
    ordinary = st.floats(-100, 100, width=32)
    match domain:
        case "no-steps":
            return (Part(_build(domain, host_arrays(shape=(0, 2, 3))), 2),)
        case "many-steps":
            batches = host_arrays(shape=(300, 2, 3), elements=st.floats(1, 100, width=32))  # 0 would not tell
            return (Part(_build(domain, batches, momentum=st.sampled_from(LONG_MEMORIES)), 2),)
        case "nan-batch":
            return (Part(_build(domain, host_arrays(shape=(3, 2, 2), elements=ordinary).map(_with_nan)), 3),)
        case "other-dtypes":
            return tuple(
                Part(_build(domain, host_arrays(shape=(3, 4, 2), dtype=kind)), 2) for kind in (np.float16, np.int32)
            )
        case "scalar-types":
            return tuple(Part(_with_scalars(domain, kind), 2) for kind in (np.float32, np.float64))
        case _:
            raise AssertionError(domain)


def _with_nan(batches: np.ndarray) -> np.ndarray:
    batches = batches.copy()
    batches[1, 0, 1] = np.nan
    return batches


def _with_scalars(domain: str, kind: Any) -> SearchStrategy[Case]:
    seed = seeds(max_value=2**24, kind="int").map(lambda value: cases.numpy("seed", np.int64(value)))
    momentum = st.sampled_from((0.0, 0.5, 0.875)).map(lambda value: cases.numpy("momentum", kind(value)))
    return _build(domain, host_arrays(shape=(2, 3, 2)), seed=seed, momentum=momentum)


EDGES = ("no-steps", "many-steps", "nan-batch", "other-dtypes", "scalar-types")
DOMAINS = (Domain(CORE, core, led_to), *(Domain(name, partial(_parts, name)) for name in EDGES))
